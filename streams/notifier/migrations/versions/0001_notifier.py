"""What was told"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notifier_positions",
        sa.Column("topic", sa.String(length=300), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_notifier_positions")),
    )
    op.create_table(
        "notifier_incidents",
        sa.Column("id", sa.String(length=300), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifier_incidents")),
    )
    op.create_table(
        "notifier_deliveries",
        sa.Column("incident", sa.String(length=300), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("called", sa.Text(), nullable=False),
        sa.Column("step_at", sa.BigInteger(), nullable=False),
        sa.Column("planned", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("message", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("incident", "step", "channel", name=op.f("pk_notifier_deliveries")),
    )
    op.create_index("ix_notifier_deliveries_waiting", "notifier_deliveries", ["channel", "message"])
    op.create_table(
        "notifier_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("copy", sa.Boolean(), nullable=False),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifier_messages")),
        sa.UniqueConstraint("key", name=op.f("uq_notifier_messages_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notifier_messages_channel", "notifier_messages", ["channel", "state"])
    op.create_table(
        "notifier_tries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("robot", sa.String(length=300), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.String(length=16), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifier_tries")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notifier_tries_robot", "notifier_tries", ["robot", "at"])
    op.create_table(
        "notifier_holds",
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_notifier_holds")),
    )
    op.create_table(
        "notifier_links",
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=300), nullable=False),
        sa.Column("author", sa.String(length=256), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_notifier_links")),
    )
    op.create_table(
        "notifier_silences",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("incident", sa.String(length=300), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "incident", name=op.f("pk_notifier_silences")),
    )


def downgrade() -> None:
    for table in ("silences", "links", "holds", "tries", "messages", "deliveries", "incidents", "positions"):
        op.drop_table(f"notifier_{table}")
