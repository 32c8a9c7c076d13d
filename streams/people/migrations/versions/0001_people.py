"""People, whom they report to, and what was done with them"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("agent_id", sa.String(length=256), nullable=False),
        sa.Column("hr_number", sa.String(length=256), nullable=True),
        sa.Column("name_zh", sa.String(length=256), nullable=True),
        sa.Column("name_latin", sa.String(length=256), nullable=True),
        sa.Column("email", sa.String(length=256), nullable=True),
        sa.Column("chat_id", sa.String(length=256), nullable=True),
        sa.Column("joined", sa.Date(), nullable=True),
        sa.Column("left", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_people")),
        sa.UniqueConstraint("hr_number", name=op.f("uq_people_hr_number")),
    )
    op.create_table(
        "reporting",
        sa.Column("agent_id", sa.String(length=256), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("superior", sa.String(length=256), nullable=True),
        sa.Column("deputy", sa.String(length=256), nullable=True),
        sa.PrimaryKeyConstraint("agent_id", "valid_from", name=op.f("pk_reporting")),
    )
    op.create_table(
        "people_journal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.String(length=256), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("agent_id", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_journal")),
    )


def downgrade() -> None:
    for table in ("people_journal", "reporting", "people"):
        op.drop_table(table)
