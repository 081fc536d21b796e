"""The two statements of the bare peer, by the bare driver of each database."""

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
from sqlalchemy import make_url

from bench.peers.database import PRAGMAS
from bench.peers.tables import Agent, Step

_POSTGRES_CONNECTIONS = 8
_AGENT_COLUMNS = Agent.__table__.columns.keys()
_STEP_COLUMNS = Step.__table__.columns.keys()


class Rows(Protocol):
    """The two questions of the benchmarks."""

    async def agent(self, agent_id: int) -> dict[str, Any]: ...

    async def add_steps(self, steps: Sequence[tuple[Any, ...]]) -> None: ...


class SqliteRows:
    """One connection with the pragmas of opendai, used on the event loop: SQLite has one writer anyway."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")

    async def agent(self, agent_id: int) -> dict[str, Any]:
        return _agent(self._connection.execute(_select_agent("?"), (agent_id,)).fetchone())

    async def add_steps(self, steps: Sequence[tuple[Any, ...]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(_insert_step("?"), steps)
        self._connection.execute("COMMIT")


class PostgresRows:
    """A few connections that requests take in turn."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._made = 0
        self._idle: asyncio.LifoQueue[psycopg.AsyncConnection[Any]] = asyncio.LifoQueue()

    async def agent(self, agent_id: int) -> dict[str, Any]:
        connection = await self._take()
        row = await (await connection.execute(_select_agent("%s"), (agent_id,))).fetchone()
        self._idle.put_nowait(connection)
        return _agent(row)

    async def add_steps(self, steps: Sequence[tuple[Any, ...]]) -> None:
        connection = await self._take()
        async with connection.transaction(), connection.cursor() as cursor:
            await cursor.executemany(_insert_step("%s"), steps)
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


def _select_agent(mark: str) -> str:
    return f"SELECT {', '.join(_AGENT_COLUMNS)} FROM agents WHERE id = {mark}"


def _insert_step(mark: str) -> str:
    columns = ", ".join(f'"{column}"' for column in _STEP_COLUMNS)
    return f"INSERT INTO steps ({columns}) VALUES ({', '.join([mark] * len(_STEP_COLUMNS))})"


def _agent(row: Any) -> dict[str, Any]:
    values = dict(zip(_AGENT_COLUMNS, row, strict=True))
    # SQLite has no booleans.
    return {**values, "isconnected": bool(values["isconnected"]), "ishosted": bool(values["ishosted"])}
