"""The tables. What is written once is never changed: triggers of the migrations refuse it (``APPEND_ONLY``)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)  # fmt: skip

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no zone: what comes from there is UTC. Raises ValueError for one without zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)  # type: ignore[no-any-return]


#: Bodies by their digest: frozen materials, facts, results.
documents = Table(
    "documents",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
#: Every value ever handed in; the highest version of a key is in force. ``value`` null: taken back.
inputs = Table(
    "inputs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("card", String(64), nullable=False),
    Column("period", String(32), nullable=False),
    Column("person", String(256), nullable=False),
    Column("item", String(64), nullable=False),
    Column("field", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("value", String(256)),
    Column("author", String(256), nullable=False),
    Column("at", Moment, nullable=False),
    Column("source", String(512), nullable=False),
    Column("note", Text),
    UniqueConstraint("card", "period", "person", "item", "field", "version", name="uq_inputs_key"),
)
#: A card's run of a period and where it stands.
runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("card", String(64), nullable=False),
    Column("period", String(32), nullable=False),
    Column("first", String(10), nullable=False),
    Column("last", String(10), nullable=False),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("published", Integer),
    UniqueConstraint("card", "period", name="uq_runs_key"),
)
#: Each frozen state of a run: what it was made of, and what came out.
revisions = Table(
    "revisions",
    metadata,
    Column("run", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("materials", String(64), ForeignKey("documents.digest"), nullable=False),
    Column("facts", String(64), ForeignKey("documents.digest"), nullable=False),
    Column("result", String(64), ForeignKey("documents.digest"), nullable=False),
    Column("author", String(256), nullable=False),
    Column("at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
)
#: Columns of the form that have been signed, of each person. ``absent``: why a column was passed over.
reviews = Table(
    "reviews",
    metadata,
    Column("run", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("person", String(256), primary_key=True),
    Column("column", String(64), primary_key=True),
    Column("author", String(256), nullable=False),
    Column("at", Moment, nullable=False),
    Column("absent", Text),
)
#: What the people who are rated say of their sheet before it is approved; the newest counts. ``seen``: digest of the sheet that they saw.
acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", Integer, ForeignKey("runs.id"), nullable=False),
    Column("person", String(256), nullable=False),
    Column("agreed", Boolean, nullable=False),
    Column("reason", Text),
    Column("evidence", Text),
    Column("seen", String(64), nullable=False),
    Column("author", String(256), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_acknowledgements_run", "run"),
)
#: Objections to items of a published result, with what they want changed.
appeals = Table(
    "appeals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("person", String(256), nullable=False),
    Column("items", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changes", JSON, nullable=False),
    Column("author", String(256), nullable=False),
    Column("at", Moment, nullable=False),
    ForeignKeyConstraint(["run", "revision"], ["revisions.run", "revisions.revision"], name="fk_appeals_revision"),
    Index("ix_appeals_run", "run"),
)
#: What was decided on an appeal; one without is open. ``revision``: the one that it led to. ``ratings``: those that whoever decided gave.
decisions = Table(
    "decisions",
    metadata,
    Column("appeal", Integer, ForeignKey("appeals.id"), primary_key=True),
    Column("accepted", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("revision", Integer),
    Column("author", String(256), nullable=False),
    Column("at", Moment, nullable=False),
    Column("ratings", JSON),
)
#: Days off: granted, used, and either of them taken back (``of``); amounts in days as text, exact on every database.
days_off = Table(
    "days_off",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", String(256), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("days", String(16), nullable=False),
    Column("day", String(10), nullable=False),
    Column("expires", String(10)),
    Column("of", Integer, ForeignKey("days_off.id")),
    Column("streak", String(64)),
    Column("card", String(64)),
    Column("run", String(32)),
    Column("reason", Text),
    Column("author", String(256), nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("of", name="uq_days_off_of"),
    Index("ix_days_off_person", "person"),
    Index("ix_days_off_card", "card", "run"),
)
#: Parties of several raters, of one person in a period; ``asks``: the items, and what a rating of each may be.
panels = Table(
    "panels",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("card", String(64), nullable=False),
    Column("period", String(32), nullable=False),
    Column("person", String(256), nullable=False),
    Column("party", String(64), nullable=False),
    Column("raters", JSON, nullable=False),
    Column("least", Integer, nullable=False),
    Column("asks", JSON, nullable=False),
    Column("author", String(256), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_panels_card", "card", "period"),
)
#: One-time codes of open panels, as digests and beside no name: which is whose stands nowhere.
panel_codes = Table(
    "panel_codes",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("panel", Integer, ForeignKey("panels.id"), nullable=False),
    Column("used", Boolean, nullable=False),
    Index("ix_panel_codes_panel", "panel"),
)
#: Ratings of open panels: item → all that was given, in order of size.
panel_ratings = Table(
    "panel_ratings",
    metadata,
    Column("panel", Integer, ForeignKey("panels.id"), primary_key=True),
    Column("ratings", JSON, nullable=False),
)
#: What came of a panel that was closed; ``sums``: item → sum, nothing where too few have rated.
panel_results = Table(
    "panel_results",
    metadata,
    Column("panel", Integer, ForeignKey("panels.id"), primary_key=True),
    Column("rated", Integer, nullable=False),
    Column("sums", JSON, nullable=False),
    Column("author", String(256), nullable=False),
    Column("at", Moment, nullable=False),
)
#: Who did what when: each entry carries the digest of the one before it, so that none can be taken out unseen.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("author", String(256), nullable=False),
    Column("action", String(32), nullable=False),
    Column("card", String(64)),
    Column("period", String(32)),
    Column("person", String(256)),
    Column("detail", JSON, nullable=False),
    Column("previous", String(64), nullable=False, unique=True),
    Column("digest", String(64), nullable=False),
    Index("ix_audit_card", "card", "period"),
)
#: Tokens of the HTTP API, as digests.
tokens = Table(
    "tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("role", String(16), nullable=False),
    Column("person", String(256)),
    Column("team", String(256)),
    Column("created", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("revoked", Moment),
)

#: Ratings of a column that somebody has in hand: kept as they are typed, seen by themselves only, gone once the column is signed.
drafts = Table(
    "drafts",
    metadata,
    Column("run", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("person", String(256), primary_key=True),
    Column("column", String(64), primary_key=True),
    Column("author", String(256), primary_key=True),
    Column("ratings", JSON, nullable=False),
    Column("at", Moment, nullable=False),
)
#: By when a step of a card's run of a period is to be done. Who has set which day when is in the trail.
due_days = Table(
    "due_days",
    metadata,
    Column("card", String(64), primary_key=True),
    Column("period", String(32), primary_key=True),
    Column("step", String(16), primary_key=True),
    Column("day", String(10), nullable=False),
    Column("author", String(256), nullable=False),
    Column("at", Moment, nullable=False),
)
#: Who has read and noted the rules by which they are scored: the rules as they read them, and their digest. Others ask for it anew.
rules_read = Table(
    "rules_read",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("card", String(64), nullable=False),
    Column("period", String(32), nullable=False),
    Column("person", String(256), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("rules", JSON, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("card", "period", "person", "digest"),
)
#: What becomes of what a published result sets off, step by step: of an interview its record and who signed it (``body`` names the record),
#: of a plan or a training what came of it. ``action``: its kind, with the training's id behind a colon.
follow_ups = Table(
    "follow_ups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("card", String(64), nullable=False),
    Column("period", String(32), nullable=False),
    Column("person", String(256), nullable=False),
    Column("action", String(128), nullable=False),
    Column("step", String(16), nullable=False),
    Column("body", JSON, nullable=False),
    Column("author", String(256), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_follow_ups_card", "card", "period"),
)
#: Tables whose rows stay as they were written.
APPEND_ONLY = (
    "documents", "inputs", "revisions", "reviews", "acknowledgements", "appeals", "decisions", "days_off", "panels",
    "panel_results", "rules_read", "follow_ups", "audit",
)  # fmt: skip
