"""What the peer keeps: the agent's row and the timings, by the bare driver of each database."""

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
from sqlalchemy import make_url

_POSTGRES_CONNECTIONS = 8
_AGENT_COLUMNS = {
    "id": "id",
    "name": "name",
    "recordpath": "record_path",
    "suite": "suite",
    "agenttype": "agent_type",
    "epphost": "epp_host",
    "epptestcontrollerport": "epp_test_controller_port",
    "eppanalyzerport": "epp_analyzer_port",
    "eppworkspacepath": "epp_workspace_path",
    "isconnected": "is_marked_connected OR connected_until > {clock}",
    "ishosted": "is_hosted",
}
_TIMING_COLUMNS = (
    "run_id",
    "attempt",
    "position",
    "state",
    "action",
    "target",
    "phase",
    "is_passed",
    "seconds",
    "message",
    "started_at",
)


class Rows(Protocol):
    """The two questions of the benchmarks."""

    async def agent(self, agent_id: int) -> dict[str, Any]: ...

    async def add_timings(self, timings: Sequence[tuple[Any, ...]]) -> None: ...


class SqliteRows:
    """One connection with the pragmas of opendai, used on the event loop: SQLite has one writer anyway."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            self._connection.execute(f"PRAGMA {pragma}")

    async def agent(self, agent_id: int) -> dict[str, Any]:
        query = _select_agent("((julianday('now') - 2440587.5) * 86400.0)", "?")
        return _agent(self._connection.execute(query, (agent_id,)).fetchone())

    async def add_timings(self, timings: Sequence[tuple[Any, ...]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(_insert_timing("?"), timings)
        self._connection.execute("COMMIT")


class PostgresRows:
    """A few connections that requests take in turn."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._made = 0
        self._idle: asyncio.LifoQueue[psycopg.AsyncConnection[Any]] = asyncio.LifoQueue()

    async def agent(self, agent_id: int) -> dict[str, Any]:
        connection = await self._take()
        query = _select_agent("extract(epoch from clock_timestamp())", "%s")
        row = await (await connection.execute(query, (agent_id,))).fetchone()
        self._idle.put_nowait(connection)
        return _agent(row)

    async def add_timings(self, timings: Sequence[tuple[Any, ...]]) -> None:
        connection = await self._take()
        async with connection.transaction(), connection.cursor() as cursor:
            await cursor.executemany(_insert_timing("%s"), timings)
        self._idle.put_nowait(connection)

    async def _take(self) -> psycopg.AsyncConnection[Any]:
        if self._idle.empty() and self._made < _POSTGRES_CONNECTIONS:
            self._made += 1
            return await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        return await self._idle.get()


def open_rows(database_url: str) -> Rows:
    """By the URL that opendai is given."""
    url = make_url(database_url)
    if url.drivername == "sqlite":
        return SqliteRows(str(url.database))
    return PostgresRows(url.set(drivername="postgresql").render_as_string(hide_password=False))


def _select_agent(clock: str, mark: str) -> str:
    columns = ", ".join(_AGENT_COLUMNS.values()).format(clock=clock)
    return f"SELECT {columns} FROM agents WHERE id = {mark}"


def _insert_timing(mark: str) -> str:
    marks = ", ".join([mark] * len(_TIMING_COLUMNS))
    return f"INSERT INTO timings ({', '.join(_TIMING_COLUMNS)}) VALUES ({marks})"


def _agent(row: Any) -> dict[str, Any]:
    values = dict(zip(_AGENT_COLUMNS, row, strict=True))
    # SQLite has no booleans.
    return {**values, "isconnected": bool(values["isconnected"]), "ishosted": bool(values["ishosted"])}
