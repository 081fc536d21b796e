"""The rows of a server under test: counted, and brought back to the first ones some thousand times over."""

from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import StaticPool, create_engine, insert, text

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

_PERSON = """
INSERT INTO users (username, password_hash, role, hide_welcome_popup, created_at)
VALUES ({name}, {password_hash}, {role}, false, CURRENT_TIMESTAMP);
INSERT INTO logins (id, user_id, scope, authenticated, expires, generation, rotated)
SELECT {login}, id, '', 0, 1e10, 0, 0 FROM users WHERE username = {name};
SELECT id FROM users WHERE username = {name}
"""
_MEMBERSHIP = """
INSERT INTO groups (name, created_at)
SELECT {group}, CURRENT_TIMESTAMP WHERE NOT EXISTS (SELECT 1 FROM groups WHERE name = {group});
INSERT INTO memberships (user_id, group_id)
SELECT users.id, groups.id FROM users, groups WHERE username = {name} AND groups.name = {group}
"""
_ADD_PROGRAM = insert(tables.ApiClient).returning(tables.ApiClient.id)


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
        if self._is_sqlite:
            statements = ["PRAGMA synchronous=OFF", "ATTACH ':memory:' AS first", *_COPY]
        else:
            statements = ["CREATE SCHEMA first", *_COPY, _FUNCTION]
        for statement in statements:
            self._connection.exec_driver_sql(statement)
        self.put_back()

    def put_back(self) -> None:
        """Leave the first rows alone, the keys and what is known of the installation, and number from 1 again.

        Deleting the few rows that there are takes a quarter of the time of PostgreSQL's TRUNCATE.
        """
        if self._is_sqlite:
            are_filled = zip(_NAMES, self._connection.execute(_WHICH_HAVE_ROWS).one(), strict=True)
            delete = "".join(f"DELETE FROM {name};" for name, is_filled in are_filled if is_filled)
            connection: Any = self._connection.connection.driver_connection
            connection.executescript(
                f"BEGIN IMMEDIATE; {delete} DELETE FROM sqlite_sequence; {_PUT_BACK} COMMIT;"
            )
        else:
            self._connection.exec_driver_sql("SELECT first.put_back()")

    def add_person(
        self, name: str, *, password_hash: str, role: str, groups: Sequence[str], login: str
    ) -> int:
        """Returns the id; groups that are not there are made, and the login never ends."""
        for_user = {"name": name, "password_hash": password_hash, "role": role, "login": login}
        user_id = self._run(_PERSON, for_user).fetchone()[0]
        for group in groups:
            self._run(_MEMBERSHIP, {"name": name, "group": group})
        return user_id

    def add_program(
        self, name: str, *, client_id: str, secret_sha256: str, role: str, grants: Sequence[str]
    ) -> int:
        """Returns the id of the API client."""
        values = {"name": name, "client_id": client_id, "secret_sha256": secret_sha256, "role": role}
        return self._connection.execute(_ADD_PROGRAM, {**values, "grants": grants}).scalar_one()

    def _run(self, script: str, values: dict[str, str]) -> Any:
        """The driver's cursor of the script's last statement; SQLAlchemy would take a round trip for each."""
        connection: Any = self._connection.connection.driver_connection
        if self._is_sqlite:
            named = script.format_map({name: f":{name}" for name in values})
            return [connection.execute(statement, values) for statement in named.split(";")][-1]
        cursor = psycopg.ClientCursor(connection)
        cursor.execute(script.format_map({name: f"%({name})s" for name in values}), values)
        while cursor.nextset():
            pass
        return cursor


def count_rows(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    with database.reading() as session:
        return dict(zip(_ALL, session.execute(_HOW_MANY).one(), strict=True))
