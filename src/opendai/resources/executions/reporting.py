"""The reports of a walk: batches of numbered events, heartbeats, and its end. The fence guards every write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, bindparam, func, insert
from sqlalchemy.orm import Session

from opendai import tables
from opendai.errors import Conflict, Fault, Invalid
from opendai.resources.executions.endings import Ending, end_runs
from opendai.resources.executions.events import FinishIn, LogEvent, StepEvent
from opendai.resources.executions.queue import LEASE
from opendai.resources.executions.rows import LOCKED_RUNS, RunRow, read_runs
from opendai.resources.runs.states import CANCELLED, RUNNING
from opendai.tables.columns import now

_run = tables.Run
_Events = Sequence[StepEvent | LogEvent]


@dataclass(frozen=True, slots=True)
class Held:
    """A run that is walked, by whom, and under which attempt. `agent_id` is None if the server walks it itself."""

    run_id: int
    agent_id: int | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Progress:
    """The last event that is stored, and whether the walk has to stop."""

    last_event: int
    is_abort_requested: bool


_IS_HELD = LEASE.fence & _run.agent_id.is_not_distinct_from(bindparam("holder", type_=BigInteger))
_PROGRESS = (_run.last_event, _run.is_abort_requested)
_RENEW = LEASE.renew(_IS_HELD).returning(*_PROGRESS)
# One statement judges the fence and the numbers, renews the lease and counts on.
_RECORD = LEASE.renew(
    _IS_HELD
    & (_run.last_event == bindparam("last_before"))
    # Null for a batch without steps, which fits any number of them.
    & (_run.steps == func.coalesce(bindparam("steps_before", type_=Integer), _run.steps)),
    last_event=_run.last_event + bindparam("more_events"),
    steps=_run.steps + bindparam("more_steps"),
).returning(*_PROGRESS)
_LOCKED = LOCKED_RUNS.where(_run.id == bindparam("of_run"))
_TIMINGS = insert(tables.Timing)
_LINES = insert(tables.RunLog)


def renew_run(session: Session, held: Held, *, lease_seconds: float) -> Progress:
    """Begin the lease anew; Conflict if the run is not held any more."""
    row = session.connection().execute(_RENEW, _fence(held, lease_seconds)).one_or_none()
    if row is None:
        raise _lost(held)
    return Progress(*row)


def record_events(
    session: Session, held: Held, first: int, events: _Events, *, lease_seconds: float
) -> Progress:
    """Store the new events of a batch and renew the lease.

    Events are numbered from 1 without gaps. Those that are stored already are skipped.
    """
    connection = session.connection()
    progress = _record_all(connection, held, first, events, lease_seconds)
    if progress is None:
        # The batch is late, overlaps what is stored, or is wrong. The lock keeps the answer true.
        run = _judge(_lock(connection, held), held)
        fresh = _fresh(run, first, events)
        progress = _record_all(connection, held, run.last_event + 1, fresh, lease_seconds)
    if progress is None:
        raise _lost(held)
    return progress


def conclude_run(session: Session, held: Held, given: FinishIn) -> str:
    """End the run as its walker says, unless it was aborted meanwhile; return the final status.

    The same call again returns the same status.
    """
    connection = session.connection()
    # The lock first: of two calls at the same moment, the second one sees the end that the first one made.
    locked = _lock(connection, held)
    if locked is not None and _has_ended_so(locked, held, given):
        return locked.status
    run = _judge(locked, held)
    if given.last != run.last_event:
        raise Conflict(f"The last event of run {run.id} is number {run.last_event}, not {given.last}.")
    status = CANCELLED if run.is_abort_requested else given.status
    ending = Ending(run, status, _reason(given), given.failed_state or None, given.failed_action or None)
    end_runs(connection, [ending])
    return status


def _record_all(
    connection: Connection, held: Held, first: int, events: _Events, lease_seconds: float
) -> Progress | None:
    """Store a batch of which every event is new; None if that is not so, or the run is not held."""
    steps = [event for event in events if isinstance(event, StepEvent)]
    steps_before = steps[0].order - 1 if steps else None
    if any(step.order != order for order, step in enumerate(steps, steps[0].order if steps else 1)):
        return None
    row = connection.execute(
        _RECORD,
        {
            **_fence(held, lease_seconds),
            "last_before": first - 1,
            "steps_before": steps_before,
            "more_events": len(events),
            "more_steps": len(steps),
        },
    ).one_or_none()
    if row is None:
        return None
    if steps:
        connection.execute(_TIMINGS, [_timing(held, step) for step in steps])
    received = now()
    lines = [_line(held, event, received) for event in events if isinstance(event, LogEvent)]
    if lines:
        connection.execute(_LINES, lines)
    return Progress(*row)


def _fresh(run: RunRow, first: int, events: _Events) -> _Events:
    """The events of a batch that are not stored yet; Conflict or Invalid if they cannot follow those that are."""
    if first > run.last_event + 1:
        raise Conflict(f"The next event of run {run.id} is number {run.last_event + 1}.")
    fresh = events[run.last_event + 1 - first :]
    steps = [event for event in fresh if isinstance(event, StepEvent)]
    for expected, step in enumerate(steps, start=run.steps + 1):
        if step.order != expected:
            raise Invalid(
                f"The next step of run {run.id} has the order {expected}, not {step.order}.",
                faults=[Fault("events", f"hold a step of order {step.order} where {expected} is next")],
            )
    return fresh


def _fence(held: Held, lease_seconds: float) -> dict[str, Any]:
    return {
        "row_id": held.run_id,
        "row_attempt": held.attempt,
        "holder": held.agent_id,
        "lease_seconds": lease_seconds,
    }


def _lock(connection: Connection, held: Held) -> RunRow | None:
    runs = read_runs(connection, _LOCKED, {"of_run": held.run_id})
    return runs[0] if runs else None


def _judge(run: RunRow | None, held: Held) -> RunRow:
    """The run if it is held; otherwise Conflict.

    A run that was deleted is a Conflict as well: for its agent that is an end like any other.
    """
    fence = (RUNNING, held.attempt, held.agent_id)
    if run is None or (run.status, run.attempt, run.agent_id) != fence:
        raise _lost(held)
    return run


def _has_ended_so(run: RunRow, held: Held, given: FinishIn) -> bool:
    is_by = (run.agent_id, run.attempt, run.last_event) == (held.agent_id, held.attempt, given.last)
    return run.ended_at is not None and is_by


def _lost(held: Held) -> Conflict:
    return Conflict(f"Attempt {held.attempt} of run {held.run_id} is not yours or has ended.")


def _reason(given: FinishIn) -> str:
    reason = given.reason or "no reason was given"
    if given.unreachable:
        reason += f"; out of reach: {', '.join(given.unreachable[:50])}"
    return reason


def _timing(held: Held, step: StepEvent) -> dict[str, Any]:
    return {
        "run_id": held.run_id,
        "attempt": held.attempt,
        "position": step.order,
        "state": step.state,
        "action": step.action,
        "target": step.target,
        "phase": step.phase,
        "is_passed": step.passed,
        "seconds": step.seconds,
        "message": step.message or "",
        "started_at": step.started_at,
    }


def _line(held: Held, event: LogEvent, received: datetime) -> dict[str, Any]:
    return {
        "run_id": held.run_id,
        "event_time": event.time or received,
        "message": event.message,
        "severity": event.severity,
        "step": event.step,
        "stage": event.stage,
        "message_type": event.message_type,
        "image_name": event.image_name,
        "image_id": event.image_id,
    }
