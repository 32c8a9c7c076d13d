"""The notifier's tables. Moments are in ms since 1970; nothing in them holds a name for longer than it takes to tell it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: How far a topic has been taken in: the next offset.
positions = Table(
    "notifier_positions",
    metadata,
    Column("topic", String(300), primary_key=True),
    Column("next", BigInteger, nullable=False),
)
#: Incidents as they were last heard of, until a while after they are over. ``step``: the newest that was taken in.
incidents = Table(
    "notifier_incidents",
    metadata,
    Column("id", String(300), primary_key=True),
    Column("step", Integer, nullable=False),
    Column("stands", Boolean, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
#: Who is to be told which step; ``message``: by which message. Its state is that of the message, or planned.
deliveries = Table(
    "notifier_deliveries",
    metadata,
    Column("incident", String(300), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("channel", String(64), primary_key=True),
    Column("route", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("kind", String(32), nullable=False),
    #: Ids of those who are called by name (JSON).
    Column("called", Text, nullable=False),
    Column("step_at", BigInteger, nullable=False),
    Column("planned", BigInteger, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("message", Integer),
)
Index("ix_notifier_deliveries_waiting", deliveries.c.channel, deliveries.c.message)
#: What is told at once. ``state``: planned, sending, told, failed, unknown. ``body``: until that is decided. ``until``: when a try that
#: has begun is given up. ``copy``: a try may have arrived.
messages = Table(
    "notifier_messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("channel", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("copy", Boolean, nullable=False),
    Column("begun", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("body", LargeBinary),
    sqlite_autoincrement=True,
)
Index("ix_notifier_messages_channel", messages.c.channel, messages.c.state)
#: Each try, with what the channel said; ``robot``: those of one share its rate.
tries = Table(
    "notifier_tries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message", Integer),
    Column("channel", String(64), nullable=False),
    Column("robot", String(300), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("result", String(16)),
    Column("said", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_notifier_tries_robot", tries.c.robot, tries.c.at)
#: Channels that want to be left alone ``until``, after so many ``failures`` in a row, the first ``since``.
holds = Table(
    "notifier_holds",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("since", BigInteger),
    Column("said", Text, nullable=False),
)
#: Links that have been used.
links = Table(
    "notifier_links",
    metadata,
    Column("nonce", String(64), primary_key=True),
    Column("incident", String(300), nullable=False),
    Column("author", String(256), nullable=False),
    Column("at", BigInteger, nullable=False),
)
#: Silences of Alertmanagers that have become actions; ``until``: until when.
silences = Table(
    "notifier_silences",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("incident", String(300), primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("until", BigInteger, nullable=False),
)
#: What is told of something that is no incident and has no row of its own (digests), as it is told (JSON).
notices = Table(
    "notifier_notices",
    metadata,
    Column("id", String(300), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
