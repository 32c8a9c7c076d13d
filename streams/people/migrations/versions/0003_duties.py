"""Who is on duty when, works when, and is stood in for by whom"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duties",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("agent_id", sa.String(length=256), nullable=False),
        sa.Column("team_id", sa.String(length=256), nullable=False),
        sa.Column("role", sa.String(length=256), nullable=False),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hours", sa.String(length=256), nullable=True),
        sa.Column("deputy", sa.String(length=256), nullable=True),
        sa.PrimaryKeyConstraint("kind", "agent_id", "team_id", "role", "starts", name=op.f("pk_duties")),
    )


def downgrade() -> None:
    op.drop_table("duties")
