"""Cases, and what is told once a day or a week"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notifier_notices",
        sa.Column("id", sa.String(length=300), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifier_notices")),
    )
    op.create_table(
        "case_cases",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=256), nullable=True),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("explain", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_cases")),
    )
    op.create_index("ix_case_cases_next_at", "case_cases", ["next_at"])
    op.create_table(
        "case_visits",
        sa.Column("customer", sa.String(length=32), nullable=False),
        sa.Column("contact", sa.String(length=600), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "contact", name=op.f("pk_case_visits")),
    )
    op.create_index("ix_case_visits_at", "case_visits", ["at"])
    op.create_table(
        "case_complaints",
        sa.Column("contact", sa.String(length=600), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("contact", name=op.f("pk_case_complaints")),
    )
    op.create_index("ix_case_complaints_day", "case_complaints", ["day"])


def downgrade() -> None:
    for table in ("case_complaints", "case_visits", "case_cases", "notifier_notices"):
        op.drop_table(table)
