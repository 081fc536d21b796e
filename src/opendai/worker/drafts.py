"""Generations of test cases: each asks an AI server, while nothing but a lease is held in the database."""

import queue
import threading
import time

import structlog

from opendai.database import Database
from opendai.engine import outline, parse_model
from opendai.errors import Problem
from opendai.parts import Parts
from opendai.resources.ai_servers.calls import Outcome, ServerCalls, StageFailed
from opendai.resources.ai_servers.generations import (
    Task,
    claim,
    fail,
    finish,
    give_up,
    has_claimable,
    renew,
)

_LONGEST_OUTLINE = 20_000
_LOOK_SECONDS = 0.2
_PAUSE_SECONDS = 0.5
_Answers = queue.SimpleQueue[Outcome | Exception]
_log = structlog.get_logger("opendai.drafting")


class Drafters:
    """Several threads that have test cases drafted. One of them looks for work at a time.

    The others wait for their turn to look, which costs the database nothing.
    """

    def __init__(self) -> None:
        self._turn_to_look = threading.Lock()

    def draft_waiting(self, parts: Parts, stopping: threading.Event) -> None:
        """Draft what waits longest; wait a moment if nothing does."""
        lease_seconds = parts.settings.lease_seconds
        with self._turn_to_look:
            if stopping.is_set():
                return
            task = next_task(parts.database, lease_seconds=lease_seconds)
            if task is None:
                stopping.wait(_PAUSE_SECONDS)
                return
        calls = ServerCalls(parts.ai_servers, parts.secret_key)
        draft(parts.database, calls, task, lease_seconds=lease_seconds, stopping=stopping)


def next_task(database: Database, *, lease_seconds: float) -> Task | None:
    """Claim the generation that waits longest; None if none waits."""
    with database.reading() as session:
        # A look takes no lock, and most of the time nothing waits.
        if not has_claimable(session):
            return None
    with database.writing() as session:
        give_up(session)
        return claim(session, lease_seconds=lease_seconds)


def draft(
    database: Database, calls: ServerCalls, task: Task, *, lease_seconds: float, stopping: threading.Event
) -> None:
    """Do what was claimed. A server that stops hands it back."""
    answers = _begin(calls, task)
    outcome, is_held, is_stopping = None, True, False
    # Also when it is not held any more, as after it was cancelled: else more calls than may be would go on at once.
    while outcome is None and not is_stopping:
        outcome = _wait(answers, seconds=lease_seconds / 3, stopping=stopping)
        # Looked at once a round: a stop in the midst of one is seen, and the lease handed back, in the next.
        is_stopping = stopping.is_set()
        if outcome is None and is_held:
            is_held = _renew(database, task, 0.0 if is_stopping else lease_seconds)
    if outcome is not None:
        _store(database, task, outcome)


def _begin(calls: ServerCalls, task: Task) -> _Answers:
    """Ask in a thread of its own: a call cannot be broken off, but a server that ends need not wait for it."""
    answers: _Answers = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_outcome(calls, task))
        except Exception as error:  # noqa: BLE001 - it is raised again by whoever waits for the answer
            answers.put(error)

    threading.Thread(target=ask, name="opendai-ask", daemon=True).start()
    return answers


def _outcome(calls: ServerCalls, task: Task) -> Outcome:
    try:
        model = outline(parse_model(task.document), longest=_LONGEST_OUTLINE) if task.document else ""
    except Problem as problem:
        return Outcome(failure=StageFailed("model", problem.message))
    return calls.ask(task.server, requirement=task.generation.requirement, model=model)


def _wait(answers: _Answers, *, seconds: float, stopping: threading.Event) -> Outcome | None:
    """The outcome, or None if there is none after so many seconds or when the server stops."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stopping.is_set():
        try:
            answer = answers.get(timeout=min(_LOOK_SECONDS, seconds))
        except queue.Empty:
            continue
        if isinstance(answer, Exception):
            raise answer
        return answer
    return None


def _renew(database: Database, task: Task, seconds: float) -> bool:
    # A lease without time is taken by the next server to look, under the next attempt.
    with database.writing() as session:
        return renew(session, task, lease_seconds=seconds)


def _store(database: Database, task: Task, outcome: Outcome) -> None:
    with database.writing() as session:
        if outcome.failure is None:
            is_held = finish(session, task, outcome.drafts)
        else:
            is_held = fail(session, task, outcome.failure)
    stage = outcome.failure.stage if outcome.failure else None
    row = task.generation
    _log.info("a generation was asked for", id=row.id, attempt=row.attempt, failed_at=stage, is_held=is_held)
