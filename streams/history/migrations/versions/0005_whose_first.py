"""An agent's month is found without looking at everybody's: whose it is comes first in the index, then the day"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

#: Table, columns before and now.
_INDEXES = (
    ("history_counts", ("day", "agent"), ("agent", "day")),
    ("history_counts", ("day", "queue"), ("queue", "day")),
    ("history_counts", ("day", "team"), ("team", "day")),
    ("history_superseded_counts", ("day", "agent"), ("agent", "day")),
)
#: What `history_terms.part` is, before and now.
_PART_BEFORE = "top, bottom, squares, base_top, base_bottom or bucket"
_PART = "top, bottom, squares, base_top, base_bottom, base_squares, untold or bucket"


def upgrade() -> None:
    _comment(_PART_BEFORE, _PART)
    op.create_index(op.f("ix_history_counts_day"), "history_counts", ["day"])
    for table, before, now in _INDEXES:
        op.create_index(op.f(f"ix_{table}_{'_'.join(now)}"), table, list(now))
        op.drop_index(op.f(f"ix_{table}_{'_'.join(before)}"), table)


def downgrade() -> None:
    _comment(_PART, _PART_BEFORE)
    for table, before, now in _INDEXES:
        op.create_index(op.f(f"ix_{table}_{'_'.join(before)}"), table, list(before))
        op.drop_index(op.f(f"ix_{table}_{'_'.join(now)}"), table)
    op.drop_index(op.f("ix_history_counts_day"), "history_counts")


def _comment(before: str, now: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.alter_column("history_terms", "part", comment=now, existing_comment=before, existing_nullable=False)
