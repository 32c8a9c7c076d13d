"""What teams, queues and sites are called"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "units",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=256), nullable=False),
        sa.Column("name_zh", sa.String(length=256), nullable=True),
        sa.Column("name_en", sa.String(length=256), nullable=True),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_units")),
    )
    # Of units the key stands there, which is longer than an agent's id.
    with op.batch_alter_table("people_journal") as table:
        table.alter_column("agent_id", type_=sa.String(length=300), existing_type=sa.String(length=256))


def downgrade() -> None:
    op.drop_table("units")
