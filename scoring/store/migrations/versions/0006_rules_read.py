"""Who has read and noted the rules by which they are scored, and the rules as they were then"""

import sqlalchemy as sa
from alembic import op

from scoring.store.migrations.append_only import refuse

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rules_read",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=256), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules_read")),
        sa.UniqueConstraint("card", "period", "person", "digest", name=op.f("uq_rules_read_card")),
    )
    refuse("rules_read", "UPDATE")
    refuse("rules_read", "DELETE")


def downgrade() -> None:
    raise NotImplementedError("what people have noted is not taken out again; restore a backup instead")
