"""Reports on test config tasks: their status, runs and messages, and what their runs ran on."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.tables.states import CANCELLED, ERROR, FAILED, INCOMPLETE, PASSED, QUEUED, RUNNING

_MOST_MESSAGES = 1000
_NOTEWORTHY = ("WARNING", "ERROR", "CRITICAL")
# The worst run gives a task its status. A failure is a verdict, so it ranks above an error.
_RANKS = {PASSED: 1, CANCELLED: 2, ERROR: 3, FAILED: 4, QUEUED: 5, RUNNING: 5}
_NAMES = {1: PASSED, 2: CANCELLED, 3: ERROR, 4: FAILED, 5: INCOMPLETE}


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """An error of a task, or a warning in the log of one of its runs. An error may belong to no run."""

    time: datetime
    severity: str
    message: str
    run_id: int | None


@dataclass(frozen=True, slots=True)
class TaskRun:
    """The part of a run that a summary of its task needs."""

    id: int
    status: str
    step: int | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(slots=True)
class Surroundings:
    """The systems, agents and models of a task's runs: each name once, in the order of the runs."""

    suts: dict[str, None] = field(default_factory=dict)
    agents: dict[str, None] = field(default_factory=dict)
    models: dict[str, None] = field(default_factory=dict)


def task_status() -> ColumnElement[str]:
    """The published status of an execution: the one that a client set, otherwise that of its worst run."""
    run, execution = tables.Run, tables.Execution
    worst = (
        select(case(_NAMES, value=func.max(case(_RANKS, value=run.status, else_=0)), else_=INCOMPLETE))
        .where(run.execution_id == execution.id)
        .correlate(execution)
        .scalar_subquery()
    )
    return func.coalesce(execution.own_status, worst)


def task_runs(session: Session, execution_id: str) -> list[TaskRun]:
    run = tables.Run
    rows = session.execute(
        select(run.id, run.status, run.config_step, run.started_at, run.ended_at)
        .where(run.execution_id == execution_id)
        .order_by(run.id)
    )
    return [TaskRun(*row) for row in rows]


def task_messages(session: Session, execution_id: str) -> list[TaskMessage]:
    """At most a thousand errors and warnings of a task, by their time."""
    error, line, run = tables.ErrorEntry, tables.RunLog, tables.Run
    errors = session.execute(
        select(error.error_time, error.severity, error.message, error.run_id)
        .where(error.execution_id == execution_id)
        .order_by(error.id)
        .limit(_MOST_MESSAGES)
    )
    warnings = session.execute(
        select(line.event_time, line.severity, line.message, line.run_id)
        .join(run, run.id == line.run_id)
        .where(run.execution_id == execution_id, line.severity.in_(_NOTEWORTHY))
        .order_by(line.run_id, line.id)
        .limit(_MOST_MESSAGES)
    )
    messages = [TaskMessage(*row) for row in [*errors, *warnings]]
    return sorted(messages, key=lambda message: message.time)[:_MOST_MESSAGES]


def task_surroundings(session: Session, execution_ids: Sequence[str]) -> dict[str, Surroundings]:
    """The surroundings of each of these executions, by its id."""
    run, agent = tables.Run, tables.Agent
    rows = session.execute(
        select(run.execution_id, run.model_name, run.sut, agent.name)
        .outerjoin(agent, agent.id == func.coalesce(run.agent_id, run.wanted_agent_id))
        .where(run.execution_id.in_(execution_ids))
        .order_by(run.id)
    )
    found: defaultdict[str, Surroundings] = defaultdict(Surroundings)
    for execution_id, model_name, sut, agent_name in rows:
        around = found[execution_id]
        around.models[model_name] = None
        around.suts |= dict.fromkeys(_sut_names(sut))
        if agent_name is not None:
            around.agents[agent_name] = None
    return {execution_id: found[execution_id] for execution_id in execution_ids}


def _sut_names(sut: str | None) -> Iterable[str]:
    """The id of the system under test, or the tags that were asked for."""
    if sut is None:
        return []
    wanted: dict[str, Any] = json.loads(sut)
    return [wanted["sut_id"]] if wanted.get("sut_id") else wanted.get("criteria", [])
