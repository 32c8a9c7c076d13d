"""Alembic's environment: on the connection that ``streams.database`` hands it."""

from alembic import context

from streams.cases.tables import metadata as cases
from streams.notifier.tables import metadata

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=[metadata, cases],
    render_as_batch=True,
    version_table=attributes["version_table"],
)
with context.begin_transaction():
    context.run_migrations()
