"""The database: its sessions and transactions, and the SQL that SQLite and PostgreSQL share."""

from opendai.database.engines import changing_schema
from opendai.database.sessions import Database
from opendai.database.sql import DECIDES_RIGHTS, AnyRow, Table, database_clock, upsert, upsert_for

__all__ = [
    "DECIDES_RIGHTS",
    "AnyRow",
    "Database",
    "Table",
    "changing_schema",
    "database_clock",
    "upsert",
    "upsert_for",
]
