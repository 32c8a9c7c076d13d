"""A team's contacts of a day are found without looking at everybody's"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_history_counts_day_team"), "history_counts", ["day", "team"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_history_counts_day_team"), "history_counts")
