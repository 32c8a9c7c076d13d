"""Tables whose rows stay as they were written, whoever asks."""

from __future__ import annotations

from alembic import op


def refuse(table: str, what: str) -> None:
    """A trigger that refuses to change or to take out what was written, whoever asks."""
    name, said = f"{table}_no_{what.lower()}", f"{table} keeps what was written"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER {name} BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT, '{said}'); END")
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% keeps what was written', TG_TABLE_NAME; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    if what == "DELETE":
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change()")
