"""Runs without an agent: the server generates the path itself and touches nothing."""

import threading
from collections.abc import Iterator
from itertools import islice

import structlog

from opendai.database import Database
from opendai.engine import Outcome, Plan, Step, Walk, parse_model, start_walk
from opendai.errors import Conflict, Problem
from opendai.parts import Parts
from opendai.resources.executions.claims import Claim, claim_run
from opendai.resources.executions.events import FinishIn, StepEvent
from opendai.resources.executions.queue import has_run_for_server
from opendai.resources.executions.reporting import Held, conclude_run, record_events
from opendai.resources.runs.states import ERROR

_BATCH = 200
# A batch of a large model may take longer than the lease of an agent that reports each step.
_SHORTEST_LEASE_SECONDS = 30
_log = structlog.get_logger("opendai.walker")


def walk_waiting(parts: Parts, stopping: threading.Event) -> None:
    """Walk the runs that wait for the server, one after the other."""
    while not stopping.is_set():
        with parts.database.reading() as session:
            if not has_run_for_server(session):
                return
        lease_seconds = max(parts.settings.lease_seconds, _SHORTEST_LEASE_SECONDS)
        walk_one(parts.database, lease_seconds=lease_seconds, stopping=stopping)


def walk_one(database: Database, *, lease_seconds: float, stopping: threading.Event) -> bool:
    """Claim and walk one waiting run; return whether a run waited. A server that stops gives the run back."""
    with database.writing() as session:
        claim = claim_run(session, None, lease_seconds=lease_seconds)
    if claim is None:
        return False
    try:
        _walk(database, claim, lease_seconds=lease_seconds, stopping=stopping)
    except Conflict:
        _log.warning("run was lost", run_id=claim.run_id, attempt=claim.attempt)
    return True


def _walk(database: Database, claim: Claim, *, lease_seconds: float, stopping: threading.Event) -> None:
    held = Held(claim.run_id, None, claim.attempt)
    plan = Plan(
        kind=claim.generator,
        seed=claim.seed,
        step_limit=claim.step_limit,
        target_coverage=claim.target_coverage,
        test_case=claim.test_case_text or "",
    )
    hits = {(state, action): times for state, action, times in claim.hits}
    try:
        walk = start_walk(parse_model(claim.document), plan, hits)
    except Problem as problem:
        _finish(database, held, FinishIn(attempt=held.attempt, last=0, status=ERROR, reason=problem.message))
        return
    steps, reported = _steps(walk), 0
    while batch := list(islice(steps, _BATCH)):
        is_last = stopping.is_set()
        with database.writing() as session:
            # A lease of no seconds has ended already, so the run is queued for its next attempt.
            seconds = 0.0 if is_last else lease_seconds
            progress = record_events(session, held, reported + 1, batch, lease_seconds=seconds)
            if progress.is_abort_requested:
                walk.abort()
        reported += len(batch)
        if is_last:
            return
    conclusion = walk.conclusion
    assert conclusion is not None  # noqa: S101 - a walk without a next step has one
    _finish(
        database,
        held,
        FinishIn(
            attempt=held.attempt,
            last=reported,
            status=conclusion.status,
            reason=conclusion.reason,
            failed_state=conclusion.failed_state,
            failed_action=conclusion.failed_action,
            unreachable=list(conclusion.unreachable),
        ),
    )


def _steps(walk: Walk) -> Iterator[StepEvent]:
    while (step := walk.next_step()) is not None:
        # Before the event is yielded: an abort between two batches must find no step without an outcome.
        walk.record(Outcome.PASSED)
        yield _event(step)


def _event(step: Step) -> StepEvent:
    return StepEvent(
        type="step",
        order=step.order,
        state=step.state,
        action=step.action,
        target=step.target,
        phase=step.phase,
        passed=True,
    )


def _finish(database: Database, held: Held, given: FinishIn) -> None:
    with database.writing() as session:
        conclude_run(session, held, given)
