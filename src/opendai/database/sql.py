"""The SQL that both databases share: the base of the tables, the clock, and the upsert."""

from typing import Any

from sqlalchemy import MetaData, Row
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Double

DECIDES_RIGHTS = {"opendai_decides_rights": True}
"""The `info` of a table that says who may do what."""

AnyRow = Row[*tuple[Any, ...]]
"""A row whose columns are read by their names."""


class Table(DeclarativeBase):
    """The declarative base: every constraint has a name, so that a migration can find it on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class database_clock(FunctionElement[float]):  # noqa: N801 - reads as the SQL function it is
    """Seconds since 1970 by the clock of the database, which alone judges leases and lifetimes."""

    type = Double()
    inherit_cache = True


@compiles(database_clock, "sqlite")
def _sqlite_clock(_element: object, _compiler: SQLCompiler, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_clock, "postgresql")
def _postgresql_clock(_element: object, _compiler: SQLCompiler, **_: Any) -> str:
    return "(extract(epoch from clock_timestamp())::double precision)"


def upsert(session: Session, table: type[Table]) -> Any:
    """An INSERT that can say `on_conflict_do_update`; both databases have it, each in its own dialect."""
    return upsert_for(session.get_bind().dialect.name, table)


def upsert_for(dialect_name: str, table: type[Table]) -> Any:
    """The same for a statement that is built once for each database."""
    dialect = sqlite if dialect_name == "sqlite" else postgresql
    return dialect.insert(table)
