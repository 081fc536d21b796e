"""The sessions, the transactions and their threads. The only module that begins, commits or rolls back."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from anyio.to_thread import run_sync
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from opendai.database.engines import WRITES, postgresql_engine, sqlite_engine
from opendai.database.sql import DECIDES_RIGHTS
from opendai.errors import Unavailable

_RIGHTS = "opendai_rights"
_LONGEST_TURN_SECONDS = 10.0
_Answer = TypeVar("_Answer")


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
            sqlite_engine(url, threads, synchronous)
            if url.startswith("sqlite")
            else postgresql_engine(url, threads, timeout_seconds)
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
        self._writers = self.engine.execution_options(**{WRITES: True})
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
        """Return if the database answers, otherwise raise Unavailable."""
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
