"""Aborting is idempotent, and an agent learns of it by its next report."""

import time
import uuid
from typing import Any

import pytest
from sqlalchemy import select

from opendai import tables
from opendai_client.client import Client
from tests.faults.processes import Server, wait_until

pytestmark = pytest.mark.slow

_AGENT = "/agent_service/api/v1"


@pytest.fixture
def people(server: Server, petclinic: str):
    mark = uuid.uuid4().hex[:8]
    with server.client(f"ci-{mark}") as ci, server.client(f"lab-{mark}", "agent") as lab:
        model = ci.create_model(f"Aborted {mark}", "admin", petclinic)
        agent_id = lab.connection.send("POST", f"{_AGENT}/agents", json={}).json()["agent_id"]
        yield ci, lab, {"model_id": model["modeluuid"], "agent": {"agent_id": str(agent_id)}}


def test_a_queued_execution_is_cancelled_at_once(server: Server, people: Any):
    ci, lab, what = people
    started = ci.start_execution(**what)
    assert _abort(ci, started["id"]) == 204
    ended = _row(server, started["run_id"])
    assert (ended.status, ended.reason) == ("CANCELLED", "it was aborted before it began")
    assert _abort(ci, started["id"]) == 204
    again = _row(server, started["run_id"])
    assert (again.status, again.ended_at) == ("CANCELLED", ended.ended_at)
    assert _endings(ci, started["run_id"]) == 1
    assert lab.connection.send("POST", f"{_AGENT}/claims", json={"wait_seconds": 0}).status_code == 204


def test_a_running_execution_tells_its_agent(server: Server, people: Any):
    ci, lab, what = people
    started = ci.start_execution(**what)
    run_id = started["run_id"]
    lab.connection.send("POST", f"{_AGENT}/claims", json={"wait_seconds": 5})
    runs = f"{_AGENT}/runs/{run_id}"
    assert lab.connection.send("POST", f"{runs}/heartbeat", json={"attempt": 1}).json()["abort"] is False
    assert [_abort(ci, started["id"]), _abort(ci, started["id"])] == [204, 204]
    assert ci.execution(started["id"])["status"] == "INCOMPLETE"

    step = {"type": "step", "order": 1, "state": "HomePage", "action": "e_FindOwners", "passed": True}
    report = {"attempt": 1, "first": 1, "events": [step]}
    told = lab.connection.send("POST", f"{runs}/events", json=report).json()
    assert (told["last"], told["abort"]) == (1, True)
    # The reported outcome does not matter: the abort decides the status.
    finish = {"attempt": 1, "last": 1, "status": "PASSED", "reason": "done"}
    for _ in range(2):
        assert lab.connection.send("POST", f"{runs}/finish", json=finish).json() == {"status": "CANCELLED"}
    assert ci.run(run_id)["teststatus"] == "CANCELLED"
    assert _endings(ci, run_id) == 1


def test_a_walk_of_the_server_itself_is_cancelled(server: Server, people: Any):
    ci, _, what = people
    started = ci.start_execution(model_id=what["model_id"], generator="random", step_limit=100_000)
    wait_until(lambda: ci.execution(started["id"])["steps"] > 0, "the server walks")
    assert [_abort(ci, started["id"]), _abort(ci, started["id"])] == [204, 204]
    wait_until(
        lambda: ci.execution(started["id"])["status"] == "CANCELLED", "it ends with its next batch", seconds=5
    )
    found = _row(server, started["run_id"])
    assert (found.attempt, found.reason) == (1, "the run was aborted")
    assert "background work failed" not in server.process.errors


def test_a_finished_execution_stays_as_it_is(server: Server, people: Any):
    ci, _, what = people
    started = ci.start_execution(model_id=what["model_id"])
    wait_until(lambda: ci.execution(started["id"])["status"] == "PASSED", "the server walks it")
    before, model_version = _row(server, started["run_id"]), _version(server, started["run_id"])
    assert [_abort(ci, started["id"]), _abort(ci, started["id"])] == [204, 204]
    after = _row(server, started["run_id"])
    for column in tables.Run.__table__.columns:
        assert getattr(after, column.name) == getattr(before, column.name), column.name
    found = _version(server, started["run_id"])
    assert (found.passed, found.broken) == (model_version.passed, model_version.broken) == (1, 0)


def test_an_aborted_run_of_a_silent_agent_is_cancelled(server: Server, people: Any):
    ci, lab, what = people
    started = ci.start_execution(**what)
    lab.connection.send("POST", f"{_AGENT}/claims", json={"wait_seconds": 5})
    assert _abort(ci, started["id"]) == 204
    wait_until(lambda: ci.execution(started["id"])["status"] == "CANCELLED", "the lease has run out")
    assert _row(server, started["run_id"]).attempt == 1


def test_a_real_agent_stops_soon(server: Server, people: Any):
    ci, _, what = people
    started = ci.start_execution(model_id=what["model_id"], agent={"agent_id": "any"}, step_pause_time=60)
    mark = uuid.uuid4().hex[:8]
    with server.agent(server.credentials(f"walker-{mark}", "agent"), "--max-runs", "1") as agent:
        wait_until(lambda: ci.timings(started["run_id"]), "the agent has reported a step")
        aborted_at = time.monotonic()
        ci.abort_execution(started["id"])
        wait_until(lambda: ci.execution(started["id"])["status"] == "CANCELLED", "the agent gives up")
        # Its next report is a heartbeat, at a third of the lease of 2 s; the pause of a minute is left.
        assert time.monotonic() - aborted_at < 5
        assert agent.popen.wait(10) == 0
    assert _row(server, started["run_id"]).attempt == 1


def _abort(ci: Client, execution: str) -> int:
    return ci.connection.send("DELETE", f"/execution_service/api/v1/executions/{execution}").status_code


def _endings(ci: Client, run_id: int) -> int:
    return sum(line["message"].startswith("The run ended") for line in ci.run_logs(run_id))


def _row(server: Server, run_id: int) -> tables.Run:
    with server.database.reading() as session:
        return session.get_one(tables.Run, run_id)


def _version(server: Server, run_id: int) -> tables.ModelVersion:
    with server.database.reading() as session:
        joined = select(tables.ModelVersion).join(tables.Run, tables.Run.version_id == tables.ModelVersion.id)
        return session.scalars(joined.where(tables.Run.id == run_id)).one()
