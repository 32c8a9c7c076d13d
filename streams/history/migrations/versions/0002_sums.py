"""Counts added up by entity: by quarter hour, and by day and what contacts are about. They are filled as the process starts."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_JSON = sa.Text().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    # A view cannot lose columns; those that are made of it are made anew as the process starts.
    of_it = "kpis_by_hour percentiles_by_hour kpis_by_quarter_hour percentiles_by_quarter_hour kpis_by_day_and_contacts"
    for view in (*of_it.split(), "percentiles_by_day_and_contacts", "history_sums_by_quarter_hour"):
        op.execute(f"DROP VIEW IF EXISTS {view}")
    _cells(
        "history_quarter_hours",
        "quarter hour",
        sa.Column("starts", sa.Text(), nullable=False, comment="the quarter hour, by the wall clock"),
        sa.Column(
            "hour",
            sa.Text(),
            nullable=False,
            comment="its hour, by the wall clock; hours are counted from the beginning of the day",
        ),
        sa.Column("starts_at", sa.BigInteger(), nullable=False, comment="its beginning, ms since 1970"),
    )
    _cells(
        "history_topic_days",
        "day",
        sa.Column("channel", sa.Text(), nullable=False, comment="calls, chats or tickets"),
        sa.Column("topic", sa.Text(), nullable=True, comment="topic of the contacts"),
        sa.Column("contact_kind", sa.Text(), nullable=True, comment="kind of the contacts"),
    )
    read_on = "the local date on which all that the topics told had last been read"
    op.add_column("history_clock", sa.Column("read_on", sa.Date(), comment=read_on))
    op.add_column("history_terms", sa.Column("form", sa.Text(), comment="form of the KPI, as in history_formulas"))


def _cells(name: str, of: str, *keys: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("cell", sa.Text(), nullable=False, comment="what the sums are of: its other keys, as JSON"),
        sa.Column("kind", sa.Text(), nullable=False, comment="agent, team, queue, site or all"),
        sa.Column("id", sa.Text(), nullable=False, comment="id of the entity"),
        sa.Column("date", sa.Date(), nullable=False, comment="the operation's local date on which it counts"),
        *keys,
        sa.Column("ends_at", sa.BigInteger(), nullable=False, comment=f"the end of the {of}, ms since 1970"),
        sa.Column(
            "counts_from",
            sa.BigInteger(),
            nullable=False,
            comment="the moment ahead from which on it counts, ms since 1970; 0: it does",
        ),
        sa.Column("sums", _JSON, nullable=False, comment="measure → amount, as it is stored"),
        sa.Column(
            "grows", _JSON, nullable=True, comment=f"by how much sums grow with each ms up to the end of the {of}"
        ),
        sa.PrimaryKeyConstraint("cell", name=op.f(f"pk_{name}")),
    )
    ahead = sa.text("counts_from > 0")
    op.create_index(op.f(f"ix_{name}_kind_id_date"), name, ["kind", "id", "date"])
    op.create_index(op.f(f"ix_{name}_date"), name, ["date"])
    op.create_index(op.f(f"ix_{name}_counts_from"), name, ["counts_from"], postgresql_where=ahead, sqlite_where=ahead)


def downgrade() -> None:
    for name, column in (("history_terms", "form"), ("history_clock", "read_on")):
        with op.batch_alter_table(name) as table:
            table.drop_column(column)
    op.drop_table("history_topic_days")
    op.drop_table("history_quarter_hours")
