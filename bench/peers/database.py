"""The database of a peer: its own, with one agent in it."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

from bench.peers.tables import Agent, ApiClient, Table

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY")
"""Those of opendai: an acknowledged write is as durable."""


def connect(url: str) -> Engine:
    """The engine with the defaults of SQLAlchemy."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
    return engine


def prepare(url: str, agent: Mapping[str, Any]) -> None:
    """Make the tables, the agent, and the program that asks for it."""
    engine = connect(url)
    Table.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Agent(**agent))
        session.add(ApiClient(id=1, name="reader", role="admin", generation=0))
        session.commit()
    engine.dispose()


def _set_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
