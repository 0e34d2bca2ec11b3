"""Alembic's entry: run the migrations on the connection that was handed over."""

from alembic import context

from runstone.storage.migrate import VERSION_TABLE


context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=False,  # our caller holds the transaction and the lock
)
context.run_migrations()
