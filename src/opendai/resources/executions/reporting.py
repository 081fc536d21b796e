"""The reports of a walk: batches of numbered events, heartbeats, and its end. Everything is behind the fence."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import database_clock
from opendai.errors import Conflict, Fault, Invalid
from opendai.resources.executions.endings import Ending, end_runs
from opendai.resources.runs.states import CANCELLED, RUNNING
from opendai.tables.columns import now
from opendai.wire.inputs import Input, Line, Moment, Number, Text

MOST_EVENTS = 500

Attempt = Annotated[Number, Field(ge=1)]


class StepEvent(Input):
    """One action that was performed."""

    type: Literal["step"]
    order: Attempt
    state: Line
    action: Line
    target: Line = ""
    phase: Literal["walk", "exception", "cleanup"] = "walk"
    passed: bool
    seconds: Annotated[float, Field(ge=0, le=10**9)] = 0.0
    started_at: Moment | None = None
    message: Text | None = None


class LogEvent(Input):
    """A line for people."""

    type: Literal["log"]
    message: Text
    severity: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    time: Moment | None = None
    step: Number | None = None
    stage: Line | None = None
    message_type: Line | None = None
    image_name: Line | None = None
    image_id: Line | None = None


Event = Annotated[StepEvent | LogEvent, Field(discriminator="type")]


class EventsIn(Input):
    attempt: Attempt
    first: Attempt
    events: Annotated[list[Event], Field(max_length=MOST_EVENTS)]


class FinishIn(Input):
    attempt: Attempt
    last: Number
    status: Literal["PASSED", "FAILED", "ERROR", "CANCELLED"]
    reason: Text = ""
    failed_state: Line | None = None
    failed_action: Line | None = None
    unreachable: Annotated[list[Line], Field(max_length=10_000)] = []


# Built once, because every report runs it.
_LOCKED = select(tables.Run).where(tables.Run.id == bindparam("run_id")).with_for_update()


def hold(session: Session, run_id: int, agent_id: int | None, attempt: int) -> tables.Run:
    """The run, locked, if this attempt of this agent still holds it; otherwise Conflict.

    A run that was deleted is a Conflict as well: for its agent that is an end like any other.
    """
    return _held(session.scalar(_LOCKED, {"run_id": run_id}), run_id, agent_id, attempt)


def _held(run: tables.Run | None, run_id: int, agent_id: int | None, attempt: int) -> tables.Run:
    if run is None or run.status != RUNNING or run.attempt != attempt or run.agent_id != agent_id:
        raise Conflict(f"Attempt {attempt} of run {run_id} is not yours or has ended.")
    return run


def renew(run: tables.Run, *, lease_seconds: float) -> None:
    """Begin the lease anew, by the database's clock at the moment of the write."""
    run.lease_ends = database_clock() + lease_seconds


def record_events(
    session: Session, run: tables.Run, first: int, events: Sequence[StepEvent | LogEvent]
) -> None:
    """Store what of a batch is new. Events are numbered from 1 without gaps; known ones are skipped."""
    if first > run.last_event + 1:
        raise Conflict(f"The next event of run {run.id} is number {run.last_event + 1}.")
    fresh = events[run.last_event + 1 - first :]
    if not fresh:
        return
    steps = [event for event in fresh if isinstance(event, StepEvent)]
    for expected, step in enumerate(steps, start=run.steps + 1):
        if step.order != expected:
            raise Invalid(
                f"The next step of run {run.id} has the order {expected}, not {step.order}.",
                faults=[Fault("events", f"hold a step of order {step.order} where {expected} is next")],
            )
    received = now()
    connection = session.connection()  # Rows as they are: the session would first make objects of them.
    if steps:
        connection.execute(insert(tables.Timing), [_timing(run, step) for step in steps])
    lines = [_line(run, event, received) for event in fresh if isinstance(event, LogEvent)]
    if lines:
        connection.execute(insert(tables.RunLog), lines)
    run.last_event += len(fresh)
    run.steps += len(steps)


def finish_once(session: Session, run_id: int, agent_id: int, given: FinishIn) -> str:
    """The final status of the run, which ends by this call or ended by the same call before."""
    # The lock first: of two calls at the same moment, the second one sees the end that the first one made.
    run = session.scalar(_LOCKED, {"run_id": run_id})
    if run is not None and run.ended_at is not None and _is_by(run, agent_id, given):
        return run.status
    run = _held(run, run_id, agent_id, given.attempt)
    finish(session, run, given)
    return run.status


def _is_by(run: tables.Run, agent_id: int, given: FinishIn) -> bool:
    return (run.agent_id, run.attempt, run.last_event) == (agent_id, given.attempt, given.last)


def finish(session: Session, run: tables.Run, given: FinishIn) -> None:
    """End the run as its walker says, unless it was aborted meanwhile."""
    if given.last != run.last_event:
        raise Conflict(f"The last event of run {run.id} is number {run.last_event}, not {given.last}.")
    run.failed_state = given.failed_state or None
    run.failed_action = given.failed_action or None
    reason = given.reason or "no reason was given"
    if given.unreachable:
        reason += f"; out of reach: {', '.join(given.unreachable[:50])}"
    status = CANCELLED if run.is_abort_requested else given.status
    end_runs(session, [Ending(run, status, reason)])


def _timing(run: tables.Run, step: StepEvent) -> dict[str, object]:
    return {
        "run_id": run.id,
        "attempt": run.attempt,
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


def _line(run: tables.Run, event: LogEvent, received: datetime) -> dict[str, object]:
    values = event.model_dump(exclude={"type", "time"})
    return {**values, "run_id": run.id, "event_time": event.time or received}
