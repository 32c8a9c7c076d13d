"""What becomes of what a result sets off: interviews that were held and are signed by both, plans and trainings that are done"""

import sqlalchemy as sa
from alembic import op

from scoring.store.migrations.append_only import refuse

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "follow_ups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=256), nullable=False),
        sa.Column("action", sa.String(length=128), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(length=256), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_ups")),
    )
    op.create_index("ix_follow_ups_card", "follow_ups", ["card", "period"])
    refuse("follow_ups", "UPDATE")
    refuse("follow_ups", "DELETE")


def downgrade() -> None:
    raise NotImplementedError("what people have agreed on is not taken out again; restore a backup instead")
