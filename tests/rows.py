"""Looking at all tables at once, and emptying them between tests, some thousand times over."""

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import Database, Table
from opendai.resources.coverage_models import CoverageModelRepository

_KEPT = {"signing_keys", "instance"}
_EMPTIED = [table for table in reversed(Table.metadata.sorted_tables) if table.name not in _KEPT]
_ALL = [table.name for table in Table.metadata.sorted_tables]
_NAMES = [table.name for table in _EMPTIED]
_NUMBERED = [table.name for table in _EMPTIED if table.autoincrement_column is not None]

_WHICH_HAVE_ROWS = text("SELECT " + ", ".join(f"EXISTS (SELECT 1 FROM {name})" for name in _NAMES))
_HOW_MANY = text("SELECT " + ", ".join(f"(SELECT count(*) FROM {name})" for name in _ALL))
# In the database itself, where it is planned once and takes one round trip.
_FUNCTION = f"""
CREATE FUNCTION empty_all_tables() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
{"".join(f"IF EXISTS (SELECT 1 FROM {name}) THEN DELETE FROM {name}; END IF;" for name in _NAMES)}
{
    "".join(
        f"IF (SELECT is_called FROM {name}_id_seq) THEN PERFORM setval('{name}_id_seq', 1, false); END IF;"
        for name in _NUMBERED
    )
}
END $$
"""


def prepare(database: Database) -> None:
    """Do once what makes `empty` quick."""
    if not database.is_sqlite:
        with database.writing() as session:
            session.execute(text(_FUNCTION))


def empty(database: Database) -> None:
    """Delete all rows but the keys and the installation's own, and number the next ones from 1 again.

    Deleting the few rows that there are takes a quarter of the time of PostgreSQL's TRUNCATE.
    """
    with database.writing() as session:
        if database.is_sqlite:
            _empty_sqlite(session)
        else:
            session.execute(text("SELECT empty_all_tables()"))
        session.execute(insert(tables.Group), {"name": "admin"})
        CoverageModelRepository(session).ensure_built_in()


def _empty_sqlite(session: Session) -> None:
    for name, is_filled in zip(_NAMES, session.execute(_WHICH_HAVE_ROWS).one(), strict=True):
        if is_filled:
            session.execute(text(f"DELETE FROM {name}"))
    session.execute(text("DELETE FROM sqlite_sequence"))


def count_rows(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    with database.reading() as session:
        return dict(zip(_ALL, session.execute(_HOW_MANY).one(), strict=True))
