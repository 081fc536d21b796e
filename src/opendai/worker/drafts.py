"""Asks AI servers for test cases. While an AI server thinks, nothing but a lease is held in the database."""

import queue
import threading
import time

import structlog

from opendai.database import Database
from opendai.engine import outline, parse_model
from opendai.errors import Problem
from opendai.parts import Parts
from opendai.resources.ai_servers.calls import Outcome, ServerCalls, StageFailed
from opendai.resources.ai_servers.drafting import (
    Task,
    claim_generation,
    fail_generation,
    fail_lost_generations,
    finish_generation,
    has_claimable,
    renew_generation,
)

_LONGEST_OUTLINE = 20_000
_LOOK_SECONDS = 0.2
_PAUSE_SECONDS = 0.5
_Answers = queue.SimpleQueue[Outcome | Exception]
_log = structlog.get_logger("opendai.drafting")


class Drafters:
    """The job of several threads. One of them looks for work at a time.

    The others wait for their turn to look, which costs the database nothing.
    """

    def __init__(self) -> None:
        self._turn_to_look = threading.Lock()

    def draft_waiting(self, parts: Parts, stopping: threading.Event) -> None:
        """Do the generation that waits longest. Without one, pause and return."""
        lease_seconds = parts.settings.lease_seconds
        with self._turn_to_look:
            if stopping.is_set():
                return
            task = next_task(parts.database, lease_seconds=lease_seconds)
            if task is None:
                # The pause is part of the turn: otherwise every thread would look as often as this one.
                stopping.wait(_PAUSE_SECONDS)
                return
        calls = ServerCalls(parts.ai_servers, parts.secret_key)
        draft(parts.database, calls, task, lease_seconds=lease_seconds, stopping=stopping)


def next_task(database: Database, *, lease_seconds: float) -> Task | None:
    """Claim the generation that waits longest; None if none waits."""
    with database.reading() as session:
        # Reading takes no lock, and most of the time no generation waits.
        if not has_claimable(session):
            return None
    with database.writing() as session:
        fail_lost_generations(session)
        return claim_generation(session, lease_seconds=lease_seconds)


def draft(
    database: Database, calls: ServerCalls, task: Task, *, lease_seconds: float, stopping: threading.Event
) -> None:
    """Do a claimed generation. A server that stops gives the generation back."""
    answers = _begin(calls, task)
    outcome, is_held, is_stopping = None, True, False
    # The wait goes on after the generation was canceled: otherwise more calls than the limit would be open.
    while outcome is None and not is_stopping:
        outcome = _wait(answers, seconds=lease_seconds / 3, stopping=stopping)
        # Read once a round: if the server stops after this line, the next round gives the lease back.
        is_stopping = stopping.is_set()
        if outcome is None and is_held:
            is_held = _renew(database, task, 0.0 if is_stopping else lease_seconds)
    if outcome is not None:
        _store(database, task, outcome)


def _begin(calls: ServerCalls, task: Task) -> _Answers:
    """Ask in its own thread: nothing can interrupt a call, but a server that stops need not wait for it."""
    answers: _Answers = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_outcome(calls, task))
        except Exception as error:  # noqa: BLE001 - `_wait` raises it again
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
    """The outcome, or None if it has not arrived after `seconds` or when the server stops."""
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
    # A lease of no seconds has ended already, so another server claims the generation for its next attempt.
    with database.writing() as session:
        return renew_generation(session, task, lease_seconds=seconds)


def _store(database: Database, task: Task, outcome: Outcome) -> None:
    with database.writing() as session:
        if outcome.failure is None:
            is_held = finish_generation(session, task, outcome.drafts)
        else:
            is_held = fail_generation(session, task, outcome.failure)
    stage = outcome.failure.stage if outcome.failure else None
    row = task.generation
    _log.info("a generation was asked for", id=row.id, attempt=row.attempt, failed_at=stage, is_held=is_held)
