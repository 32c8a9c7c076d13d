"""Users of a single sign-on, and their sessions there"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("web_users") as users:
        users.alter_column("password", existing_type=sa.String(length=512), nullable=True)
        users.add_column(sa.Column("issuer", sa.String(length=512), nullable=True))
        users.add_column(sa.Column("subject", sa.String(length=255), nullable=True))
        users.create_unique_constraint("uq_web_users_subject", ["issuer", "subject"])
    with op.batch_alter_table("web_sessions") as sessions:
        sessions.add_column(sa.Column("sid", sa.String(length=255), nullable=True))
        sessions.add_column(sa.Column("checked", sa.BigInteger(), nullable=True))
        sessions.add_column(sa.Column("renewal", sa.Text(), nullable=True))
    op.create_index("ix_web_sessions_sid", "web_sessions", ["sid"])


def downgrade() -> None:
    op.drop_index("ix_web_sessions_sid", "web_sessions")
    with op.batch_alter_table("web_sessions") as sessions:
        for column in ("sid", "checked", "renewal"):
            sessions.drop_column(column)
    op.execute("DELETE FROM web_users WHERE password IS NULL")
    with op.batch_alter_table("web_users") as users:
        users.drop_constraint("uq_web_users_subject", type_="unique")
        users.drop_column("issuer")
        users.drop_column("subject")
        users.alter_column("password", existing_type=sa.String(length=512), nullable=False)
