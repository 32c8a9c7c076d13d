"""Contacts as they were when facts were frozen"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_JSON = sa.Text().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.create_table(
        "history_freezes",
        sa.Column("number", sa.Integer(), nullable=False, comment="its number; a later one has a greater"),
        sa.Column("facts", sa.Text(), nullable=False, comment="digest of the facts that were frozen"),
        sa.Column("first", sa.Date(), nullable=False, comment="the first day of which contacts are kept as they were"),
        sa.Column("last", sa.Date(), nullable=False, comment="the last of them"),
        sa.Column(
            "now", sa.BigInteger(), nullable=False, comment="as of when, by the operation's own clock, ms since 1970"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_history_freezes")),
        sa.UniqueConstraint("facts", name=op.f("uq_history_freezes_facts")),
    )
    op.create_table(
        "history_superseded",
        sa.Column(
            "record",
            sa.Text(),
            nullable=False,
            comment="key of the record; of one that is gone since, without the digest of its customer",
        ),
        sa.Column("number", sa.Integer(), nullable=False, comment="number of the last freeze before it changed"),
        sa.Column("date", sa.Date(), nullable=False, comment="date of the record"),
        sa.Column(
            "customer_id",
            sa.Text(),
            nullable=True,
            comment="pseudonym of the customer; null: nobody told, or it may be that they have been forgotten",
        ),
        sa.Column(
            "was",
            _JSON,
            nullable=True,
            comment="its row in history_contacts or history_presence; null: there was no such record",
        ),
        sa.PrimaryKeyConstraint("record", "number", name=op.f("pk_history_superseded")),
    )
    op.create_index(op.f("ix_history_superseded_date"), "history_superseded", ["date"])
    op.create_table(
        "history_superseded_counts",
        sa.Column("number", sa.Integer(), nullable=False, comment="number of the freeze, as in history_superseded"),
        sa.Column("date", sa.Date(), nullable=False, comment="date of the record"),
        sa.Column(
            "record",
            sa.Text(),
            nullable=False,
            comment="key of the record in history_contacts or history_presence",
        ),
        sa.Column("day", sa.Date(), nullable=False, comment="the operation's local date on which it counts"),
        sa.Column(
            "starts", sa.Text(), nullable=False, comment="the quarter hour in which it counts, by the wall clock"
        ),
        sa.Column("starts_at", sa.BigInteger(), nullable=False, comment="its beginning, ms since 1970"),
        sa.Column("ends_at", sa.BigInteger(), nullable=False, comment="its end, ms since 1970"),
        sa.Column(
            "counts_from",
            sa.BigInteger(),
            nullable=False,
            comment="the moment from which on it counts, ms since 1970; 0: it happened",
        ),
        sa.Column("channel", sa.Text(), nullable=True, comment="calls, chats or tickets; null: presence"),
        sa.Column("topic", sa.Text(), nullable=True, comment="topic of the contact"),
        sa.Column("contact_kind", sa.Text(), nullable=True, comment="kind of the contact"),
        sa.Column("agent", sa.Text(), nullable=True, comment="the agent to whom it is credited"),
        sa.Column("team", sa.Text(), nullable=True, comment="the team to which it is credited"),
        sa.Column("queue", sa.Text(), nullable=True, comment="the queue to which it is credited"),
        sa.Column("site", sa.Text(), nullable=True, comment="the site to which it is credited"),
        sa.Column(
            "staff",
            _JSON,
            nullable=True,
            comment="sums that count for agent and team: measure → amount, as it is stored",
        ),
        sa.Column("desk", _JSON, nullable=True, comment="sums that count for queue, site and the whole operation"),
        sa.Column(
            "staff_grows", _JSON, nullable=True, comment="by how much sums of staff grow with each ms up to ends_at"
        ),
        sa.Column("desk_grows", _JSON, nullable=True, comment="the same of the desk's"),
    )
    op.create_index(op.f("ix_history_superseded_counts_record"), "history_superseded_counts", ["record"])
    op.create_index(op.f("ix_history_superseded_counts_day_agent"), "history_superseded_counts", ["day", "agent"])


def downgrade() -> None:
    for name in ("history_superseded_counts", "history_superseded", "history_freezes"):
        op.drop_table(name)
