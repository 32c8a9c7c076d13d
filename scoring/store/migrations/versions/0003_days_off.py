"""The ledger of days off"""

import sqlalchemy as sa
from alembic import op

from scoring.store.migrations.append_only import refuse

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "days_off",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=256), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("days", sa.String(length=16), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("expires", sa.String(length=10), nullable=True),
        sa.Column("of", sa.Integer(), nullable=True),
        sa.Column("streak", sa.String(length=64), nullable=True),
        sa.Column("card", sa.String(length=64), nullable=True),
        sa.Column("run", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("author", sa.String(length=256), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["of"], ["days_off.id"], name=op.f("fk_days_off_of")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_days_off")),
        sa.UniqueConstraint("of", name=op.f("uq_days_off_of")),
    )
    op.create_index("ix_days_off_person", "days_off", ["person"])
    op.create_index("ix_days_off_card", "days_off", ["card", "run"])
    refuse("days_off", "UPDATE")
    refuse("days_off", "DELETE")


def downgrade() -> None:
    raise NotImplementedError("what was granted and used is not taken out again; restore a backup instead")
