"""An agent that dies in the middle: lease, next attempt, fence, and the end after three attempts."""

import uuid
from functools import partial
from typing import Any

import msgpack
import pytest
from sqlalchemy import func, select, update

from opendai import tables
from opendai_client.client import Client
from opendai_client.errors import ClientError
from tests.faults.pictures import picture
from tests.faults.processes import Server, wait_until

pytestmark = pytest.mark.slow

_AGENT = "/agent_service/api/v1"


@pytest.fixture
def people(server: Server, petclinic: str):
    """Somebody who starts executions, a model of their own, and an agent by raw HTTP."""
    mark = uuid.uuid4().hex[:8]
    with server.client(f"ci-{mark}") as ci, server.client(f"lab-{mark}", "agent") as lab:
        model = ci.create_model(f"PetClinic {mark}", "admin", petclinic)
        agent_id = lab.connection.send("POST", f"{_AGENT}/agents", json={}).json()["agent_id"]
        yield ci, lab, model["modeluuid"], str(agent_id)


def test_a_killed_agents_run_is_walked_by_another(server: Server, petclinic: str):
    with server.client("ci-killed") as ci:
        model = ci.create_model("Killed", "admin", petclinic)["modeluuid"]
        case = next(case for case in ci.test_cases(model) if case["testcaseName"] == "Find an owner")
        with server.agent(server.credentials("lab-killed", "agent")) as first:
            started = ci.start_execution(
                model_id=model, test_case_id=case["id"], agent={"agent_id": "any"}, step_pause_time=1
            )
            run_id, execution = started["run_id"], started["id"]
            wait_until(lambda: _run(server, run_id).status == "RUNNING", "the first agent has claimed it")
            with server.agent(server.credentials("lab-heir", "agent"), "--max-runs", "1") as second:
                wait_until(lambda: ci.timings(run_id), "the first agent has reported a step")
                first.kill()
                assert second.popen.wait(20) == 0
        found = ci.execution(execution)
        assert (found["attempt"], ci.run(run_id)["teststatus"]) == (2, "PASSED")
        orders = [timing["order"] for timing in ci.timings(run_id)]
        assert orders == list(range(1, found["steps"] + 1))
        lines = [line["message"] for line in ci.run_logs(run_id)]
        assert "Attempt 1 fell silent; the run waits again." in lines


def test_three_silent_attempts_are_an_error(server: Server, people: Any):
    ci, lab, model, agent_id = people
    started = ci.start_execution(model_id=model, agent={"agent_id": agent_id})
    run_id, execution = started["run_id"], started["id"]
    for attempt in (1, 2, 3):
        assert _claimed(lab)["attempt"] == attempt
        _send(lab, f"/runs/{run_id}/events", _events(attempt, 1, 2))
        if attempt > 1:
            # The first lease ran out by the clock; the others need not be waited for.
            _end_lease(server, run_id)
        awaited = "ERROR" if attempt == 3 else "QUEUED"
        wait_until(partial(_has_status, server, run_id, awaited), awaited)

    assert _refusal(lab, run_id, "heartbeat", {"attempt": 3}) == 409
    assert (ci.execution(execution)["status"], ci.execution(execution)["attempt"]) == ("ERROR", 3)
    with server.database.reading() as session:
        entry = session.scalars(select(tables.ErrorEntry).filter_by(execution_id=execution)).one()
    assert entry.message == f"Run {run_id}: 3 attempts ended without a report in time."
    assert (entry.severity, entry.sender) == ("ERROR", "opendai")
    lines = [line["message"] for line in ci.run_logs(run_id)]
    assert lines[-1] == "The run ended as ERROR: 3 attempts ended without a report in time."
    assert lines.count("Attempt 1 fell silent; the run waits again.") == 1


def test_late_reports_of_an_old_attempt_change_nothing(server: Server, people: Any):
    ci, lab, model, agent_id = people
    run_id = ci.start_execution(model_id=model, agent={"agent_id": agent_id})["run_id"]
    assert _claimed(lab)["attempt"] == 1
    _send(lab, f"/runs/{run_id}/events", _events(1, 1, 3))
    _end_lease(server, run_id)
    wait_until(lambda: _run(server, run_id).status == "QUEUED", "the run waits again")
    assert _upload(lab, run_id, 1) == 409
    assert _claimed(lab)["attempt"] == 2
    _send(lab, f"/runs/{run_id}/events", _events(2, 1, 1))
    before = _everything(server, run_id)

    late: dict[str, dict[str, Any]] = {
        "events": _events(1, 4, 2),
        "heartbeat": {"attempt": 1},
        "finish": {"attempt": 1, "last": 3, "status": "PASSED", "reason": ""},
    }
    for call, body in late.items():
        assert _refusal(lab, run_id, call, body) == 409, call
    assert _refusal(lab, run_id, "events", {**late["events"], "attempt": 3}) == 409
    assert _upload(lab, run_id, 1) == 409
    assert _everything(server, run_id) == before

    assert _upload(lab, run_id, 2) == 202
    _send(lab, f"/runs/{run_id}/finish", {"attempt": 2, "last": 1, "status": "PASSED", "reason": "done"})
    ended = _everything(server, run_id)
    assert _refusal(lab, run_id, "events", _events(2, 2, 1)) == 409
    assert _upload(lab, run_id, 2) == 409
    assert _everything(server, run_id) == ended


def test_a_stranger_cannot_report_with_the_right_attempt(server: Server, people: Any):
    ci, lab, model, agent_id = people
    run_id = ci.start_execution(model_id=model, agent={"agent_id": agent_id})["run_id"]
    assert _claimed(lab)["attempt"] == 1
    before = _everything(server, run_id)
    with server.client(f"stranger-{run_id}", "agent") as stranger:
        _send(stranger, "/agents", {})
        assert _refusal(stranger, run_id, "events", _events(1, 1, 1)) == 409
        assert _upload(stranger, run_id, 1) == 409
    assert _everything(server, run_id) == before
    _send(lab, f"/runs/{run_id}/finish", {"attempt": 1, "last": 0, "status": "CANCELLED", "reason": ""})


def _send(lab: Client, path: str, body: object) -> Any:
    return lab.connection.send("POST", _AGENT + path, json=body)


def _claimed(lab: Client) -> Any:
    return _send(lab, "/claims", {"wait_seconds": 10}).json()


def _refusal(lab: Client, run_id: int, call: str, body: object) -> int:
    with pytest.raises(ClientError) as refused:
        _send(lab, f"/runs/{run_id}/{call}", body)
    return refused.value.status


def _upload(lab: Client, run_id: int, attempt: int) -> int:
    body = msgpack.packb({"run_id": run_id, "attempt": attempt, "image": picture()})
    try:
        return lab.connection.send("POST", "/ai/screenshots", content=body).status_code
    except ClientError as refused:
        return refused.status


def _events(attempt: int, first: int, count: int) -> dict[str, object]:
    steps = [
        {"type": "step", "order": order, "state": "HomePage", "action": "e_FindOwners", "passed": True}
        for order in range(first, first + count)
    ]
    return {"attempt": attempt, "first": first, "events": steps}


def _end_lease(server: Server, run_id: int) -> None:
    with server.database.writing() as session:
        session.execute(update(tables.Run).where(tables.Run.id == run_id).values(lease_ends=0.0))


def _has_status(server: Server, run_id: int, status: str) -> bool:
    return _run(server, run_id).status == status


def _run(server: Server, run_id: int) -> tables.Run:
    with server.database.reading() as session:
        return session.get_one(tables.Run, run_id)


def _everything(server: Server, run_id: int) -> dict[str, object]:
    """The rows of the run, except for the end of its lease, which its own heartbeats move."""
    run = _run(server, run_id)
    kept = {column.name: getattr(run, column.name) for column in tables.Run.__table__.columns}
    counts = {}
    with server.database.reading() as session:
        for table in (tables.Timing, tables.RunLog, tables.Screenshot):
            counts[table.__tablename__] = session.scalar(
                select(func.count()).select_from(table).where(table.run_id == run_id)
            )
    return {**kept, **counts}
