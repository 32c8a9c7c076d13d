"""The tables of cases, in the database of the notifier, which opens them and tells of them. Moments in ms since 1970."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
#: Each case as it stands (JSON). ``told``: the number of its newest step of which it is decided who is told; ``explain``: 1 where its root
#: cause is still to be sent as an event.
cases = Table(
    "case_cases",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("owner", String(256)),
    Column("opened", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("closed", BigInteger),
    Column("next_at", BigInteger),
    Column("told", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("explain", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index("ix_case_cases_next_at", cases.c.next_at)
#: Contacts of a day by a digest of their customer, to see who comes again. Gone after two days.
visits = Table(
    "case_visits",
    metadata,
    Column("customer", String(32), primary_key=True),
    Column("contact", String(600), primary_key=True),
    Column("at", BigInteger, nullable=False),
)
Index("ix_case_visits_at", visits.c.at)
#: Complaints by the day on which they count and their topic, for digests.
complaints = Table(
    "case_complaints",
    metadata,
    Column("contact", String(600), primary_key=True),
    Column("day", Integer, nullable=False),
    Column("topic", String(256), nullable=False),
)
Index("ix_case_complaints_day", complaints.c.day)
