"""How a run ends: by a report, an abort, or a lease that ran out once too often."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.orm import Session

from opendai import tables
from opendai.engine import parse_model, run_coverage
from opendai.resources.executions.counting import Kind, count_runs, kind_of
from opendai.resources.executions.queue import LEASE
from opendai.resources.executions.rows import LOCKED_RUNS, RunRow, read_runs
from opendai.resources.executions.totals import WALKED_STEPS, add_to_totals
from opendai.resources.runs.states import CANCELLED, ERROR, PASSED, QUEUED, UNFINISHED
from opendai.tables.columns import now

_run, _timing = tables.Run, tables.Timing


@dataclass(frozen=True, slots=True)
class Ending:
    """A run that ends, its final status, why in a few words, and the step that failed."""

    run: RunRow
    status: str
    reason: str
    failed_state: str | None = None
    failed_action: str | None = None


_END = (
    update(_run)
    .where(_run.id == bindparam("of_run"))
    .values(
        status=bindparam("final_status"),
        reason=bindparam("why"),
        ended_at=bindparam("moment"),
        coverage=bindparam("covered"),
        failed_state=bindparam("in_state"),
        failed_action=bindparam("at_action"),
    )
)
_TOUCH = (
    update(tables.Execution)
    .where(tables.Execution.id == bindparam("of_execution"))
    .values(updated_at=bindparam("moment"))
)
_LOG = insert(tables.RunLog)
_ERROR = insert(tables.ErrorEntry)
_TAKEN = select(_timing.state, _timing.action).where(WALKED_STEPS).distinct()
_DOCUMENT = select(tables.ModelVersion.document).where(tables.ModelVersion.id == bindparam("version"))

_OF_EXECUTION = _run.execution_id == bindparam("execution")
_TO_ABORT = LOCKED_RUNS.where(_OF_EXECUTION, _run.status.in_(UNFINISHED))
_ASK_FOR_ABORT = (
    update(_run).where(_OF_EXECUTION, _run.status.in_(UNFINISHED)).values(is_abort_requested=True)
)
_WANT_AGENT = LOCKED_RUNS.where(_run.wanted_agent_id == bindparam("agent"), _run.status.in_(UNFINISHED))
# Servers that look at the same moment take different runs.
_LOST = LOCKED_RUNS.where(LEASE.has_ended).limit(100).with_for_update(skip_locked=True)
_GIVE_BACK = LEASE.give_back(LEASE.fence, agent_id=None, claim_key=None)


def end_runs(connection: Connection, endings: Sequence[Ending]) -> None:
    """Give locked runs their final status, and count their steps towards their versions and test cases."""
    if not endings:
        return
    moment = now()
    connection.execute(_END, [_values(connection, ending, moment) for ending in endings])
    ended = [replace(ending.run, status=ending.status) for ending in endings]
    add_to_totals(connection, ended)
    for run, ending in zip(ended, endings, strict=True):
        severity = "INFO" if run.status == PASSED else "WARNING"
        write_log(connection, run.id, f"The run ended as {run.status}: {ending.reason}.", severity)
    errors = [_error(ending, moment) for ending in endings if ending.status == ERROR]
    if errors:
        connection.execute(_ERROR, errors)
    executions = sorted({run.execution_id for run in ended})
    connection.execute(_TOUCH, [{"of_execution": number, "moment": moment} for number in executions])
    changes: Counter[Kind] = Counter(kind_of(run) for run in ended)
    changes.subtract(kind_of(ending.run) for ending in endings)
    count_runs(connection, changes)


def request_abort(session: Session, execution_id: str) -> None:
    """Ask for the end of every run of an execution: at once if it waits, with its agent's next report if not."""
    connection, execution = session.connection(), {"execution": execution_id}
    runs = read_runs(connection, _TO_ABORT, execution)
    if not runs:
        return
    connection.execute(_ASK_FOR_ABORT, execution)
    reason = "it was aborted before it began"
    end_runs(connection, [Ending(run, CANCELLED, reason) for run in runs if run.status == QUEUED])


def end_runs_of_agent(session: Session, agent_id: int) -> None:
    """End the runs that wait for an agent that is about to be deleted: no other agent was asked to walk them."""
    connection, reason = session.connection(), "the agent that it waited for was deleted"
    runs = read_runs(connection, _WANT_AGENT, {"agent": agent_id})
    end_runs(connection, [Ending(run, ERROR, reason) for run in runs])


def expire_leases(session: Session, *, attempts: int) -> int:
    """Queue the runs again whose agents have not reported in time; return how many there were.

    After `attempts` claims a run is an ERROR: something about it ends agents.
    """
    connection = session.connection()
    lost = read_runs(connection, _LOST, {})
    endings = []
    for run in lost:
        if run.is_abort_requested:
            endings.append(Ending(run, CANCELLED, "it was aborted and its agent fell silent"))
        elif run.attempt >= attempts:
            endings.append(Ending(run, ERROR, f"{run.attempt} attempts ended without a report in time"))
        else:
            silent = f"Attempt {run.attempt} fell silent; the run waits again."
            write_log(connection, run.id, silent, "WARNING")
            connection.execute(
                _GIVE_BACK, {"row_id": run.id, "row_attempt": run.attempt, "pause_seconds": 0.0}
            )
    end_runs(connection, endings)
    return len(lost)


def write_log(connection: Connection, run_id: int, message: str, severity: str) -> None:
    """A line of the server's own in the run's log."""
    connection.execute(
        _LOG,
        {
            "run_id": run_id,
            "event_time": now(),
            "message": message,
            "severity": severity,
            "message_type": "server",
        },
    )


def _values(connection: Connection, ending: Ending, moment: datetime) -> dict[str, Any]:
    return {
        "of_run": ending.run.id,
        "final_status": ending.status,
        "why": ending.reason,
        "moment": moment,
        "covered": _coverage(connection, ending.run),
        "in_state": ending.failed_state,
        "at_action": ending.failed_action,
    }


def _error(ending: Ending, moment: datetime) -> dict[str, Any]:
    run = ending.run
    return {
        "execution_id": run.execution_id,
        "run_id": run.id,
        "group_id": run.group_id,
        "sender": "opendai",
        "severity": "ERROR",
        "message": f"Run {run.id}: {ending.reason}.",
        "error_time": moment,
    }


def _coverage(connection: Connection, run: RunRow) -> float:
    if not run.steps:
        return 0.0
    taken = connection.execute(_TAKEN, {"of_run": run.id, "of_attempt": run.attempt}).all()
    text = connection.scalar(_DOCUMENT, {"version": run.version_id})
    assert text is not None  # noqa: S101 - a run goes with its version
    return run_coverage(parse_model(text), ((row.state, row.action) for row in taken))
