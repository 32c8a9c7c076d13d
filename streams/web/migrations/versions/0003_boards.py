"""Boards that people save, and which one a screen shows"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_boards",
        sa.Column("board", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(length=256), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("restored", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("board", "version", name="pk_web_boards"),
    )
    with op.batch_alter_table("web_screens") as screens:
        screens.add_column(sa.Column("board", sa.String(length=40), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("web_screens") as screens:
        screens.drop_column("board")
    op.drop_table("web_boards")
