"""The rows of a server under test: counted, and brought back to the first ones some thousand times over."""

from collections.abc import Sequence

from sqlalchemy import StaticPool, bindparam, create_engine, insert, select, text

from opendai import tables
from opendai.database import Database, Table

_KEPT = {"signing_keys", "instance"}
_ALL = [table.name for table in Table.metadata.sorted_tables]
_EMPTIED = [table for table in reversed(Table.metadata.sorted_tables) if table.name not in _KEPT]
_NAMES = [table.name for table in _EMPTIED]
_NUMBERED = [table.name for table in _EMPTIED if table.autoincrement_column is not None]
# Those that have rows before the first test; their copies are in the schema `first`.
_FILLED = ["groups", "coverage_models"]

_HOW_MANY = text("SELECT " + ", ".join(f"(SELECT count(*) FROM {name})" for name in _ALL))
_WHICH_HAVE_ROWS = text("SELECT " + ", ".join(f"EXISTS (SELECT 1 FROM {name})" for name in _NAMES))
_COPY = [f"CREATE TABLE first.{name} AS SELECT * FROM {name}" for name in _FILLED]
_PUT_BACK = "".join(f"INSERT INTO {name} SELECT * FROM first.{name};\n" for name in _FILLED)
# In the database itself, where it is planned once and takes one round trip.
_FUNCTION = f"""
CREATE FUNCTION first.put_back() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
{"".join(f"IF EXISTS (SELECT 1 FROM {name}) THEN DELETE FROM {name}; END IF;" for name in _NAMES)}
{
    "".join(
        f"IF (SELECT is_called FROM {name}_id_seq) THEN PERFORM setval('{name}_id_seq', 1, false); END IF;"
        for name in _NUMBERED
    )
}
{_PUT_BACK}
{"".join(f"PERFORM setval('{name}_id_seq', (SELECT max(id) FROM {name}));" for name in _FILLED)}
END $$
"""

# The tables themselves, as the ORM's own way of inserting takes twice the time.
_groups, _users = tables.Group.__table__, tables.User.__table__
_FIND_GROUP = select(_groups.c.id).where(_groups.c.name == bindparam("name"))
_ADD_GROUP = insert(_groups).returning(_groups.c.id)
_ADD_USER = insert(_users).returning(_users.c.id)
_ADD_PROGRAM = insert(tables.ApiClient.__table__).returning(tables.ApiClient.__table__.c.id)
_JOIN = insert(tables.Membership.__table__)
_LOG_IN = insert(tables.Login.__table__)


class Rows:
    """All rows of a database, by a connection that pays for no pool, no session and no transaction."""

    def __init__(self, database: Database) -> None:
        self._is_sqlite = database.is_sqlite
        self._connection = create_engine(
            database.engine.url, isolation_level="AUTOCOMMIT", poolclass=StaticPool
        ).connect()
        self._remember_first()

    def close(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()

    def _remember_first(self) -> None:
        """Keep what each test finds: the group and the coverage models that an installation comes with."""
        make = "ATTACH ':memory:' AS first" if self._is_sqlite else "CREATE SCHEMA first"
        function = [] if self._is_sqlite else [_FUNCTION]
        for statement in [make, *_COPY, *function]:
            self._connection.exec_driver_sql(statement)
        self.put_back()

    def put_back(self) -> None:
        """Leave the first rows alone, the keys and what is known of the installation, and number from 1 again.

        Deleting the few rows that there are takes a quarter of the time of PostgreSQL's TRUNCATE.
        """
        if self._is_sqlite:
            are_filled = zip(_NAMES, self._connection.execute(_WHICH_HAVE_ROWS).one(), strict=True)
            delete = "".join(f"DELETE FROM {name};" for name, is_filled in are_filled if is_filled)
            self._connection.connection.driver_connection.executescript(
                f"BEGIN IMMEDIATE; {delete} DELETE FROM sqlite_sequence; {_PUT_BACK} COMMIT;"
            )
        else:
            self._connection.exec_driver_sql("SELECT first.put_back()")

    def add_person(
        self, name: str, *, password_hash: str, role: str, groups: Sequence[str], login: str
    ) -> int:
        """Returns the id; groups that are not there are made, and the login never ends."""
        ask = self._connection.execute
        user_id = ask(
            _ADD_USER, {"username": name, "password_hash": password_hash, "role": role}
        ).scalar_one()
        for group in groups:
            group_id = ask(_FIND_GROUP, {"name": group}).scalar()
            if group_id is None:
                group_id = ask(_ADD_GROUP, {"name": group}).scalar_one()
            ask(_JOIN, {"user_id": user_id, "group_id": group_id})
        ask(_LOG_IN, {"id": login, "user_id": user_id, "authenticated": 0.0, "expires": 2.0**33})
        return user_id

    def add_program(
        self, name: str, *, client_id: str, secret_sha256: str, role: str, grants: Sequence[str]
    ) -> int:
        """Returns the id of the API client."""
        values = {"name": name, "client_id": client_id, "secret_sha256": secret_sha256, "role": role}
        return self._connection.execute(_ADD_PROGRAM, {**values, "grants": grants}).scalar_one()


def count_rows(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    with database.reading() as session:
        return dict(zip(_ALL, session.execute(_HOW_MANY).one(), strict=True))
