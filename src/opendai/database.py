"""The engine, the sessions and the transactions. The only module that begins, commits or rolls back."""

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from anyio.to_thread import run_sync
from sqlalchemy import Connection, Engine, MetaData, Row, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Double

from opendai.errors import Unavailable

_WRITES = "opendai_writes"
_RIGHTS = "opendai_rights"
DECIDES_RIGHTS = {"opendai_decides_rights": True}
"""The `info` of a table that says who may do what."""
_LONGEST_TURN_SECONDS = 10.0
# For so long after its last use a connection is taken for good.
_TRUSTED_SECONDS = 1.0
_Answer = TypeVar("_Answer")

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


class Database:
    """Connections to one database, and the threads that use them.

    Readers, writers and the threads of the store have `threads` threads each, and each uses one connection at a time.
    Callers are looked up and background work is done on a few more. Hence the pool never runs dry, and no thread
    waits for a connection.
    """

    def __init__(
        self, url: str, *, threads: int, timeout_seconds: int = 15, synchronous: str = "FULL"
    ) -> None:
        self.engine = (
            _sqlite(url, threads, synchronous)
            if url.startswith("sqlite")
            else _postgresql(url, threads, timeout_seconds)
        )
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._readers = (
            self.engine
            if self.is_sqlite
            else self.engine.execution_options(
                # No transaction to end: closing a reading session costs no round trip.
                isolation_level="AUTOCOMMIT"
            )
        )
        self._writers = self.engine.execution_options(**{_WRITES: True})
        # SQLite has one writer, and one thread writes for all requests. Others wait for their turn behind it: the
        # lock of SQLite itself polls, and keeps no order.
        self._writing = ThreadPoolExecutor(1 if self.is_sqlite else threads, "opendai-writing")
        self._reading = ThreadPoolExecutor(threads, "opendai-reading")
        self._turn = threading.Lock() if self.is_sqlite else None
        self.rights = 0
        """Counts the transactions of this process that changed a table which says who may do what."""
        event.listen(self.engine, "after_cursor_execute", self._note_rights)
        event.listen(self.engine, "commit", self._count_rights)
        event.listen(self.engine, "rollback", _forget_rights)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that reads, for code outside of a request's own session."""
        with Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Unavailable if others write for too long.
        """
        with self._in_turn(), Session(self._writers, expire_on_commit=False) as session:
            yield session
            session.commit()

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=_LONGEST_TURN_SECONDS):
            raise Unavailable("Others write to the database for too long. Try again in a moment.")
        try:
            yield
        finally:
            self._turn.release()

    async def run(self, work: Callable[[], _Answer], *, writes: bool) -> _Answer:
        """The result of work that reads or writes, in a thread that is there for it."""
        threads = self._writing if writes else self._reading
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    async def read(self, question: Callable[[Session], _Answer]) -> _Answer:
        """The answer to a question, asked in a thread with a session that reads."""

        def ask() -> _Answer:
            with self.reading() as session:
                return question(session)

        return await self.run(ask, writes=False)

    async def write(self, change: Callable[[Session], _Answer]) -> _Answer:
        """The result of a change, made in a thread as one transaction."""

        def make() -> _Answer:
            with self.writing() as session:
                return change(session)

        return await self.run(make, writes=True)

    async def look_up(self, question: Callable[[Connection], _Answer]) -> _Answer:
        """The answer to a question by key, on a connection of its own.

        SQLite, which is in this process, answers sooner than a thread is reached.
        """
        return self._ask(question) if self.is_sqlite else await run_sync(self._ask, question)

    def _ask(self, question: Callable[[Connection], _Answer]) -> _Answer:
        with self._readers.connect() as connection:
            return question(connection)

    def _note_rights(self, connection: Connection, *given: Any) -> None:
        context = given[3]
        if context is not None and (context.isinsert or context.isupdate or context.isdelete):
            statement = context.compiled.statement if context.compiled is not None else None
            if statement is not None and DECIDES_RIGHTS.items() <= statement.table.info.items():
                connection.info[_RIGHTS] = True

    def _count_rights(self, connection: Connection) -> None:
        if connection.info.pop(_RIGHTS, False):
            self.rights += 1

    def check(self) -> None:
        """Return if the database answers, else raise Unavailable."""
        try:
            with self.reading() as session:
                session.execute(text("SELECT 1"))
        except DBAPIError as error:
            raise Unavailable("The database does not answer.") from error

    def close(self) -> None:
        self._reading.shutdown()
        self._writing.shutdown()
        self.engine.dispose()


def _forget_rights(connection: Connection) -> None:
    # A connection that is lost has no info any more, and nothing to forget.
    if not connection.invalidated:
        connection.info.pop(_RIGHTS, None)


def upsert(session: Session, table: type[Table]) -> Any:
    """An INSERT that can say `on_conflict_do_update`; both databases have it, each in its own dialect."""
    return upsert_for(session.get_bind().dialect.name, table)


def upsert_for(dialect_name: str, table: type[Table]) -> Any:
    """The same for a statement that is built once for each database."""
    dialect = sqlite if dialect_name == "sqlite" else postgresql
    return dialect.insert(table)


def _sqlite(url: str, threads: int, synchronous: str) -> Engine:
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
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: str, threads: int, timeout_seconds: int) -> Engine:
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
    with engine.execution_options(**{_WRITES: True}).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x6F70656E646169})
        yield connection
