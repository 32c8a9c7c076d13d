"""The tables of people. Nothing else in the database holds a name."""

from __future__ import annotations

from sqlalchemy import Column, Date, DateTime, Integer, MetaData, String, Table

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: People as they were last told; whoever is deleted has no row.
people = Table(
    "people",
    metadata,
    Column("agent_id", String(256), primary_key=True),
    Column("hr_number", String(256), unique=True),
    Column("name_zh", String(256)),
    Column("name_latin", String(256)),
    Column("email", String(256)),
    Column("chat_id", String(256)),
    Column("joined", Date),
    Column("left", Date),
)
#: Whom somebody reports to from a day on.
reporting = Table(
    "reporting",
    metadata,
    Column("agent_id", String(256), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("superior", String(256)),
    Column("deputy", String(256)),
)
#: What teams, queues, sites, topics and kinds are called.
units = Table(
    "units",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("id", String(256), primary_key=True),
    Column("name_zh", String(256)),
    Column("name_en", String(256)),
)
#: Who is on duty, works, is stood in for, from when to when (UTC).
duties = Table(
    "duties",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("agent_id", String(256), primary_key=True),
    Column("team_id", String(256), primary_key=True),
    Column("role", String(256), primary_key=True),
    Column("starts", DateTime(timezone=True), primary_key=True),
    Column("ends", DateTime(timezone=True)),
    Column("hours", String(256)),
    Column("deputy", String(256)),
)
#: What was done with whom, by whom, when (UTC): ids, never what was told of them. ``action``: added, changed, deleted, allowed,
#: duty (their entries); named, of a unit by its key.
people_journal = Table(
    "people_journal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("author", String(256), nullable=False),
    Column("action", String(16), nullable=False),
    Column("agent_id", String(300), nullable=False),
)
