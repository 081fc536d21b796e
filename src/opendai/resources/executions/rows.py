"""The rows that the functions of this room read: by one statement each, without the ORM."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select
from sqlalchemy.orm import InstrumentedAttribute

from opendai import tables


@dataclass(frozen=True, slots=True)
class RunRow:
    """The columns that decide how a run ends, waits again or is counted."""

    id: int
    execution_id: str
    model_id: int
    version_id: int
    group_id: int
    model_name: str
    test_case_id: int | None
    test_case_name: str | None
    config_step: int | None
    status: str
    attempt: int
    agent_id: int | None
    last_event: int
    steps: int
    is_abort_requested: bool
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueuedRun:
    """A run that was just queued."""

    id: int
    execution_id: str
    status: str


@dataclass(frozen=True, slots=True)
class RegisteredAgent:
    """An agent that speaks our protocol."""

    id: int
    name: str
    connected_seconds: float
    """For how long it counts as connected from now on; negative if it does not."""


# Locked until the end of the transaction. The order keeps two transactions from blocking each other.
LOCKED_RUNS = (
    select(*(getattr(tables.Run, field.name) for field in fields(RunRow)))
    .order_by(tables.Run.id)
    .with_for_update()
)


def read_runs(connection: Connection, statement: Select[Any], parameters: Mapping[str, Any]) -> list[RunRow]:
    return [RunRow(*row) for row in connection.execute(statement, parameters)]


def unindexed(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """The column without its index.

    SQLite has no statistics, so it may choose an index that leads through the whole history although the index of the
    few RUNNING runs is shorter.
    """
    return column + 0
