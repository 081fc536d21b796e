"""How a run ends: by a report, an abort, or a lease that ran out once too often."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import database_clock
from opendai.engine import parse_model, run_coverage
from opendai.resources.executions.counting import Kind, count_runs, kind_of
from opendai.resources.executions.totals import add_to_totals, walked_steps
from opendai.resources.runs.states import CANCELLED, ERROR, PASSED, QUEUED, RUNNING
from opendai.tables.columns import now


class Ending(NamedTuple):
    """A run that ends, its final status, and why in a few words."""

    run: tables.Run
    status: str
    reason: str


def end_runs(session: Session, endings: Sequence[Ending]) -> None:
    """Give runs their final status, and count what they took towards their versions and test cases."""
    changes: Counter[Kind] = Counter()
    for run, status, reason in endings:
        # Before anything changes, so that all changes of a run are one UPDATE.
        run.coverage = _coverage(session, run)
        changes[kind_of(run)] -= 1
        run.status = status
        run.reason = reason
        run.ended_at = now()
        changes[kind_of(run)] += 1
    runs = [ending.run for ending in endings]
    add_to_totals(session, runs)
    for run, status, reason in endings:
        severity = "INFO" if status == PASSED else "WARNING"
        write_log(session, run, f"The run ended as {status}: {reason}.", severity)
        if status == ERROR:
            session.add(_error(run))
    session.flush()
    _touch_executions(session, runs)
    count_runs(session, changes)


def request_abort(session: Session, execution_id: str) -> None:
    """Ask for the end of every run of an execution: at once if it waits, with its agent's next report if not."""
    runs = session.scalars(
        select(tables.Run)
        .where(tables.Run.execution_id == execution_id, tables.Run.status.in_((QUEUED, RUNNING)))
        .order_by(tables.Run.id)
        .with_for_update()
    ).all()
    for run in runs:
        run.is_abort_requested = True
    reason = "it was aborted before it began"
    end_runs(session, [Ending(run, CANCELLED, reason) for run in runs if run.status == QUEUED])


def end_runs_of_agent(session: Session, agent_id: int) -> None:
    """End what waits for an agent that is about to be deleted: nobody else was asked to walk it."""
    runs = session.scalars(
        select(tables.Run)
        .where(tables.Run.wanted_agent_id == agent_id, tables.Run.status.in_((QUEUED, RUNNING)))
        .order_by(tables.Run.id)
        .with_for_update()
    )
    end_runs(session, [Ending(run, ERROR, "the agent that it waited for was deleted") for run in runs])


def expire_leases(session: Session, *, attempts: int) -> int:
    """Queue again what was claimed and not reported on in time; return how many runs that were.

    After `attempts` claims the run is an ERROR: something about it kills agents.
    """
    lost = session.scalars(
        select(tables.Run)
        .where(tables.Run.status == RUNNING, tables.Run.lease_ends < database_clock())
        .order_by(tables.Run.id)
        .limit(100)
        .with_for_update(skip_locked=True)
    ).all()
    endings = []
    for run in lost:
        if run.is_abort_requested:
            endings.append(Ending(run, CANCELLED, "it was aborted and its agent fell silent"))
        elif run.attempt >= attempts:
            endings.append(Ending(run, ERROR, f"{run.attempt} attempts ended without a report in time"))
        else:
            write_log(session, run, f"Attempt {run.attempt} fell silent; the run waits again.", "WARNING")
            run.status = QUEUED
            run.agent_id = None
            run.claim_key = None
    end_runs(session, endings)
    session.flush()
    return len(lost)


def write_log(session: Session, run: tables.Run, message: str, severity: str) -> None:
    """A line of the server's own in the run's log."""
    session.add(
        tables.RunLog(
            run_id=run.id, event_time=now(), message=message, severity=severity, message_type="server"
        )
    )


def _touch_executions(session: Session, runs: Sequence[tables.Run]) -> None:
    execution = tables.Execution
    for execution_id in sorted({run.execution_id for run in runs}):
        session.execute(
            update(execution)
            .where(execution.id == execution_id)
            .values(updated_at=now())
            .execution_options(synchronize_session=False)
        )


def _error(run: tables.Run) -> tables.ErrorEntry:
    return tables.ErrorEntry(
        execution_id=run.execution_id,
        run_id=run.id,
        group_id=run.group_id,
        sender="opendai",
        severity="ERROR",
        message=f"Run {run.id}: {run.reason}.",
        error_time=run.ended_at,
    )


def _coverage(session: Session, run: tables.Run) -> float:
    timing = tables.Timing
    taken = session.execute(select(timing.state, timing.action).where(*walked_steps(run)).distinct()).all()
    if not taken:
        return 0.0
    text = session.scalars(
        select(tables.ModelVersion.document).where(tables.ModelVersion.id == run.version_id)
    ).one()
    return run_coverage(parse_model(text), ((row.state, row.action) for row in taken))
