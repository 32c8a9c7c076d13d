"""Panels of 360-degree ratings: who is invited, codes without names, ratings until a panel is closed, and what came of it"""

import sqlalchemy as sa
from alembic import op

from scoring.store.migrations.append_only import refuse

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "panels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=256), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("raters", sa.JSON(), nullable=False),
        sa.Column("least", sa.Integer(), nullable=False),
        sa.Column("asks", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(length=256), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panels")),
    )
    op.create_index("ix_panels_card", "panels", ["card", "period"])
    op.create_table(
        "panel_codes",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("panel", sa.Integer(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["panel"], ["panels.id"], name=op.f("fk_panel_codes_panel")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_panel_codes")),
    )
    op.create_index("ix_panel_codes_panel", "panel_codes", ["panel"])
    op.create_table(
        "panel_ratings",
        sa.Column("panel", sa.Integer(), nullable=False),
        sa.Column("ratings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["panel"], ["panels.id"], name=op.f("fk_panel_ratings_panel")),
        sa.PrimaryKeyConstraint("panel", name=op.f("pk_panel_ratings")),
    )
    op.create_table(
        "panel_results",
        sa.Column("panel", sa.Integer(), nullable=False),
        sa.Column("rated", sa.Integer(), nullable=False),
        sa.Column("sums", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(length=256), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["panel"], ["panels.id"], name=op.f("fk_panel_results_panel")),
        sa.PrimaryKeyConstraint("panel", name=op.f("pk_panel_results")),
    )
    for table in ("panels", "panel_results"):
        refuse(table, "UPDATE")
        refuse(table, "DELETE")


def downgrade() -> None:
    raise NotImplementedError("what people have rated is not taken out again; restore a backup instead")
