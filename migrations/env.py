"""Runs the migrations of one chain on SQLite and on PostgreSQL, inside one transaction."""

from alembic import context
from sqlalchemy import Connection

from opendai import tables  # noqa: F401 - the metadata is complete once the tables are imported
from opendai.database import Table, changing_schema
from opendai.settings import Settings


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=True,
        # SQLite rolls schema changes back; Alembic does not expect it.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with changing_schema(Settings().database) as own:
        migrate(own)
