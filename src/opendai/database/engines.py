"""The connections to SQLite and to PostgreSQL: how each is made, begun and tried."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

WRITES = "opendai_writes"
"""The execution option of connections that begin a transaction in order to write."""

# A connection is not tried again so soon after its last use.
_TRUSTED_SECONDS = 1.0


def sqlite_engine(url: str, threads: int, synchronous: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=3 * threads + 4,
        max_overflow=8,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": 10.0},
    )
    _begin_ourselves(
        engine,
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "foreign_keys=ON",
        "temp_store=MEMORY",
    )
    return engine


def _begin_ourselves(engine: Engine, *pragmas: str) -> None:
    """Take transactions from the SQLite driver, whose own BEGIN comes late and is always deferred."""

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once when another one wrote in between.
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def postgresql_engine(url: str, threads: int, timeout_seconds: int) -> Engine:
    options = {
        "statement_timeout": f"{timeout_seconds}s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "30s",
        "TimeZone": "UTC",
    }
    engine = create_engine(
        url,
        pool_size=3 * threads + 4,
        max_overflow=8,
        # Errors are logged, and what a statement was given is the customer's or a secret.
        hide_parameters=True,
        connect_args={
            "connect_timeout": 3,
            "application_name": "opendai",
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        },
    )
    _ping_after_idling(engine)
    return engine


def _ping_after_idling(engine: Engine) -> None:
    """Have a connection tried before it is given out again, unless it was in use a moment ago.

    SQLAlchemy's own `pool_pre_ping` tries it each time, which is a round trip for each session.
    """

    @event.listens_for(engine, "checkin")
    def _remember(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["returned"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        idle_since = record.info.get("returned")
        if idle_since is None or time.monotonic() - idle_since < _TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # The pool drops all connections of that age, and this checkout gets a new one.
            raise InvalidatePoolError from error


@contextlib.contextmanager
def changing_schema(url: str) -> Iterator[Connection]:
    """One transaction for changes of the schema, which no other process can be in at the same time."""
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            Path(engine.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Rebuilding a table drops the old one: with foreign keys on, the rows that point at it would follow.
        _begin_ourselves(engine, "journal_mode=WAL", "foreign_keys=OFF", "busy_timeout=60000")
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x6F70656E646169})
        yield connection
