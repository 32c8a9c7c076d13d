"""The desk's tables: who may come in, who is in, and what was done. Moments are in ms since 1970; secrets are kept as digests only."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Who may log in: by a password, or by the provider ``issuer``, which knows them as ``subject`` (then roles, person and teams are what its
#: claims said last). ``person``: their id on the roster; ``teams``: those they lead or look at, ``*`` for all.
users = Table(
    "web_users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("password", String(512)),
    Column("roles", JSON, nullable=False),
    Column("person", String(256)),
    Column("teams", JSON, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("issuer", String(512)),
    Column("subject", String(255)),
    UniqueConstraint("issuer", "subject", name="uq_web_users_subject"),
)
#: Who is logged in, by the digest of what their browser holds. ``id`` names a session to people; ``ended``: logged out or put out.
#: Of a login by the provider: its id of the session (``sid``), when its claims were read last (``checked``), and what gives newer ones
#: (``renewal``), which only the browser's secret opens.
sessions = Table(
    "web_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("user", String(64), nullable=False),
    Column("begun", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("browser", String(200), nullable=False),
    Column("sid", String(255)),
    Column("checked", BigInteger),
    Column("renewal", Text),
)
Index("ix_web_sessions_user", sessions.c.user)
Index("ix_web_sessions_sid", sessions.c.sid)
#: Links for screens on a wall. ``board``: which one it shows; none: that of viewers.
screens = Table(
    "web_screens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("team", String(256)),
    Column("created", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("board", String(40)),
)
#: Boards as people have saved them: each change is a version, which stays. ``document``: what a board's file says; none: it was removed.
#: ``restored``: the version that this one is again.
boards = Table(
    "web_boards",
    metadata,
    Column("board", String(40), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("author", String(256), nullable=False),
    Column("document", JSON(none_as_null=True)),
    Column("restored", Integer),
)
#: Who did what when: ids only. ``subject``: with whom or what; ``place``: the address it came from, of logins.
journal = Table(
    "web_journal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("author", String(256), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("place", String(64), nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_web_journal_action", journal.c.action, journal.c.at)
