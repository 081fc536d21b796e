"""How a run ends: by a report, an abort, or a lease that ran out once too often."""

from sqlalchemy import ColumnElement, Integer, cast, func, literal, select, update
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import database_clock, upsert
from opendai.engine import parse_model, run_coverage
from opendai.resources.runs import QUEUED, RUNNING
from opendai.tables.columns import now

PASSED, FAILED, ERROR, CANCELLED = "PASSED", "FAILED", "ERROR", "CANCELLED"


def end_run(session: Session, run: tables.Run, status: str, reason: str) -> None:
    """Give the run its final status, and count what it took towards its version and its test case."""
    run.status = status
    run.reason = reason
    run.ended_at = now()
    _count_run(session, run)
    _count_transitions(session, run)
    run.coverage = _coverage(session, run)
    if run.test_case_id is not None:
        case = session.get(tables.TestCase, run.test_case_id, with_for_update=True)
        if case is not None:
            case.runs += 1
            case.fails += status == FAILED
    write_log(
        session, run, f"The run ended as {status}: {reason}.", "INFO" if status == PASSED else "WARNING"
    )
    if status == ERROR:
        session.add(
            tables.ErrorEntry(
                execution_id=run.execution_id,
                sender="opendai",
                severity="ERROR",
                message=f"Run {run.id}: {reason}.",
                error_time=run.ended_at,
            )
        )
    session.flush()


def request_abort(session: Session, execution_id: str) -> None:
    """Ask for the end of every run of an execution: at once if it waits, with its agent's next report if not."""
    runs = session.scalars(
        select(tables.Run)
        .where(tables.Run.execution_id == execution_id, tables.Run.status.in_((QUEUED, RUNNING)))
        .with_for_update()
    )
    for run in runs.all():
        run.is_abort_requested = True
        if run.status == QUEUED:
            end_run(session, run, CANCELLED, "it was aborted before it began")


def end_runs_of_agent(session: Session, agent_id: int) -> None:
    """End what waits for an agent that is about to be deleted: nobody else was asked to walk it."""
    runs = session.scalars(
        select(tables.Run)
        .where(tables.Run.wanted_agent_id == agent_id, tables.Run.status.in_((QUEUED, RUNNING)))
        .with_for_update()
    )
    for run in runs.all():
        end_run(session, run, ERROR, "the agent that it waited for was deleted")


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
    for run in lost:
        if run.is_abort_requested:
            end_run(session, run, CANCELLED, "it was aborted and its agent fell silent")
        elif run.attempt >= attempts:
            end_run(session, run, ERROR, f"{run.attempt} attempts ended without a report in time")
        else:
            write_log(session, run, f"Attempt {run.attempt} fell silent; the run waits again.", "WARNING")
            run.status = QUEUED
            run.agent_id = None
            run.claim_key = None
    session.flush()
    return len(lost)


def write_log(session: Session, run: tables.Run, message: str, severity: str) -> None:
    """A line of the server's own in the run's log."""
    session.add(
        tables.RunLog(
            run_id=run.id, event_time=now(), message=message, severity=severity, message_type="server"
        )
    )


def _count_run(session: Session, run: tables.Run) -> None:
    version = tables.ModelVersion
    counter = {PASSED: version.passed, FAILED: version.failed}.get(run.status, version.broken)
    session.execute(update(version).where(version.id == run.version_id).values({counter: counter + 1}))


def _count_transitions(session: Session, run: tables.Run) -> None:
    timing, total = tables.Timing, tables.TransitionTotal
    passes = func.sum(sql_case((timing.is_passed, 1), else_=0))
    counted = (
        select(
            literal(run.version_id),
            literal(run.test_case_name or ""),
            timing.state,
            timing.action,
            cast(passes, Integer),
            cast(func.count() - passes, Integer),
        )
        .where(*_walked(run))
        .group_by(timing.state, timing.action)
        # Everyone locks the rows in this order, so that two runs that end together cannot block each other.
        .order_by(timing.state, timing.action)
    )
    columns = ["version_id", "test_case", "state", "action", "passes", "fails"]
    statement = upsert(session, total).from_select(columns, counted)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=columns[:4],
            set_={
                "passes": total.passes + statement.excluded.passes,
                "fails": total.fails + statement.excluded.fails,
            },
        )
    )


def _coverage(session: Session, run: tables.Run) -> float:
    timing = tables.Timing
    taken = session.execute(select(timing.state, timing.action).where(*_walked(run)).distinct()).all()
    if not taken:
        return 0.0
    text = session.scalars(
        select(tables.ModelVersion.modeljson).where(tables.ModelVersion.id == run.version_id)
    ).one()
    return run_coverage(parse_model(text), ((row.state, row.action) for row in taken))


def _walked(run: tables.Run) -> list[ColumnElement[bool]]:
    """The steps that count as coverage: actions of the newest attempt, without the ways of failure and cleanup."""
    timing = tables.Timing
    return [
        timing.run_id == run.id,
        timing.attempt == run.attempt,
        timing.phase == "walk",
        timing.action != "",
    ]
