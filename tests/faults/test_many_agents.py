"""Eight agents, some of which are killed in the middle, lose nothing and count nothing twice."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, Self

import pytest
from sqlalchemy import func, select

from opendai import tables
from opendai.auth.logins import hash_secret
from opendai.resources.api_clients.repository import Credentials
from opendai_client.agent.drivers.simulate import SimulateDriver
from opendai_client.agent.loop import Agent
from opendai_client.client import Client
from tests.faults.processes import Process, Server, wait_until

pytestmark = pytest.mark.slow

_RUNS = 40
_KILLED = 2
_STEADY = 6


def test_eight_agents_lose_and_double_nothing(
    start_server: Callable[..., Server], fault_database: Callable[[], dict[str, Any]], petclinic: str
):
    given = fault_database()
    # Where processes share a database, two answer; with SQLite there is one.
    arguments = ("--workers", "2") if given else ()
    server = start_server(*arguments, run_attempts=20, **given)
    with ExitStack() as stack:
        ci = stack.enter_context(server.client("ci"))
        model = ci.create_model("PetClinic", "admin", petclinic)["modeluuid"]
        cases = ci.test_cases(model)
        victims = [server.credentials(f"victim-{number}", "agent") for number in range(_KILLED)]
        processes = [stack.enter_context(server.agent(victim, "--realtime")) for victim in victims]
        wait_until(lambda: len(ci.agents()) == _KILLED, "the processes have registered")
        run_ids = [
            ci.start_execution(
                model_id=model,
                agent={"agent_id": "any"},
                # Three directed ones and an exploratory one, again and again.
                test_case_id=None if number % 4 == 3 else cases[number % 2]["id"],
            )["run_id"]
            for number in range(_RUNS)
        ]
        steady = [stack.enter_context(_ThreadedAgent(server, f"steady-{n}")) for n in range(_STEADY)]
        _kill_and_restart(server, stack, victims, processes)
        wait_until(lambda: _unfinished(server) == 0, "all runs have ended", seconds=60)
        for agent in steady:
            agent.stop()
        _check(server, run_ids)


class _ThreadedAgent:
    """The agent's own loop in a thread, with a connection and a driver of its own."""

    def __init__(self, server: Server, name: str) -> None:
        self._client = server.client(name, "agent")
        self._stop = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(self._client,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        self._client.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        if self._failure:
            raise self._failure

    def _run(self, client: Client) -> None:
        try:
            Agent(client, SimulateDriver(), wait_seconds=1).run_forever(self._stop)
        except Exception as failure:  # noqa: BLE001 - it is raised again in the test's thread
            self._failure = failure


def _kill_and_restart(
    server: Server, stack: ExitStack, victims: list[Credentials], processes: list[Process]
) -> None:
    """Kill each process while it holds a run, and start one of the same name in its place."""
    for victim, process in zip(victims, processes, strict=True):
        wait_until(partial(_holds_a_run, server, victim), "the victim holds a run")
        time.sleep(random.uniform(0.0, 0.3))
        process.kill()
        stack.enter_context(server.agent(victim))


def _holds_a_run(server: Server, credentials: Credentials) -> bool:
    with server.database.reading() as session:
        held = (
            select(tables.Run.id)
            .join(tables.Agent, tables.Agent.id == tables.Run.agent_id)
            .join(tables.ApiClient, tables.ApiClient.id == tables.Agent.client_id)
            .where(tables.Run.status == "RUNNING", tables.ApiClient.client_id == credentials.client_id)
            .where(tables.ApiClient.secret_sha256 == hash_secret(credentials.client_secret))
        )
        return session.scalar(held.limit(1)) is not None


def _unfinished(server: Server) -> int:
    with server.database.reading() as session:
        return session.scalar(select(func.count(tables.Run.id)).where(tables.Run.ended_at.is_(None))) or 0


def _check(server: Server, run_ids: list[int]) -> None:
    with server.database.reading() as session:
        runs = session.scalars(select(tables.Run).order_by(tables.Run.id)).all()
        timings = session.scalars(select(tables.Timing)).all()
        totals = session.scalars(select(tables.TransitionTotal)).all()
        cases = {case.id: case for case in session.scalars(select(tables.TestCase))}
        version = session.scalars(select(tables.ModelVersion)).one()
        endings = session.execute(
            select(tables.RunLog.run_id, func.count())
            .where(tables.RunLog.message_type == "server", tables.RunLog.message.startswith("The run ended"))
            .group_by(tables.RunLog.run_id)
        ).all()
    assert [run.id for run in runs] == run_ids
    assert {run.status for run in runs} == {"PASSED"}
    assert max(run.attempt for run in runs) > 1, "no kill hit a run"
    assert {(row[0], row[1]) for row in endings} == {(run_id, 1) for run_id in run_ids}
    assert (version.passed, version.failed, version.broken) == (_RUNS, 0, 0)

    last = {run.id: run for run in runs}
    counted = [timing for timing in timings if timing.attempt == last[timing.run_id].attempt]
    for run in runs:
        positions = sorted(timing.position for timing in counted if timing.run_id == run.id)
        assert positions == list(range(1, run.steps + 1)), f"run {run.id}"
    expected = Counter(
        (last[timing.run_id].test_case_name or "", timing.state, timing.action)
        for timing in counted
        if timing.phase == "walk" and timing.action
    )
    found = {(total.test_case, total.state, total.action): (total.passes, total.fails) for total in totals}
    assert found == {place: (times, 0) for place, times in expected.items()}
    walked = Counter(run.test_case_id for run in runs if run.test_case_id)
    assert {case.id: (case.runs, case.fails) for case in cases.values()} == {
        case_id: (walked[case_id], 0) for case_id in cases
    }
