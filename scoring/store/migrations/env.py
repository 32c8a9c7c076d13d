"""Alembic's environment: on the connection that ``scoring.store.database`` hands it."""

from alembic import context

from scoring.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
