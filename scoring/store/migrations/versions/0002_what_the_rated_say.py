"""What the people who are rated say of their sheet, and ratings that whoever decides on an appeal gives"""

import sqlalchemy as sa
from alembic import op

from scoring.store.migrations.append_only import refuse

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acknowledgements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=256), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("seen", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=256), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_acknowledgements_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgements")),
    )
    op.create_index("ix_acknowledgements_run", "acknowledgements", ["run"])
    op.add_column("decisions", sa.Column("ratings", sa.JSON(), nullable=True))
    refuse("acknowledgements", "UPDATE")
    refuse("acknowledgements", "DELETE")


def downgrade() -> None:
    raise NotImplementedError("what people have said is not taken out again; restore a backup instead")
