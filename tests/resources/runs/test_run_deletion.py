"""DELETE /ai/runs/{id}: its rows and its counts go with a run."""

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from opendai import tables
from opendai.api.server import Server
from opendai.database import Database
from opendai.worker.objects import sweep_objects
from tests.arranging.hand_walks import walk
from tests.arranging.walking import ANY_AGENT, HandAgent, log, start, step
from tests.conftest import Person, Program
from tests.inprocess import TestClient

LEFT = (
    *(tables.Execution, tables.Run, tables.Timing, tables.RunLog, tables.Screenshot, tables.ErrorEntry),
    tables.TransitionTotal,
)


def reports(client: TestClient, person: Person) -> list[Any]:
    """All reports on the model's runs, without the time at which they were read."""
    paths = ["coverage", "actions", "testcasesummary", "testcaseruns", "runs", "defects"]
    bodies = [client.get(f"/ai/models/1/{path}", headers=person.bearer).json() for path in paths]
    bodies += [client.get(f"/ai/{path}", headers=person.bearer).json() for path in ("testcases", "runs")]
    return [
        {name: value for name, value in body.items() if name not in {"date", "date_as_of"}}
        if isinstance(body, dict)
        else body
        for body in bodies
    ]


def test_deleting_a_run_takes_back_its_counts(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    model = clinic["modeluuid"]
    walk(client, alice, agent, model_id=model, test_case_id=1)
    walk(client, alice, agent, model_id=model, events=[step(1), step(2, "HomePage", "e_FindOwners")])
    before = reports(client, alice)
    walk(
        client,
        alice,
        agent,
        model_id=model,
        test_case_id=1,
        status="FAILED",
        events=[step(1), step(2, "HomePage", "e_Veterinarians", passed=False)],
    )
    assert reports(client, alice) != before
    response = client.delete("/ai/runs/3", headers=alice.bearer)
    assert (response.status_code, response.json()) == (200, {})
    assert reports(client, alice) == before


@pytest.mark.parametrize("status", ["PASSED", "FAILED", "ERROR", "CANCELLED"])
def test_a_deleted_run_leaves_only_its_pictures_until_the_worker_deletes_them(
    client: TestClient,
    alice: Person,
    clinic: dict[str, Any],
    agent: HandAgent,
    app: Server,
    database: Database,
    status: str,
) -> None:
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    agent.take()
    agent.report(1, [step(1), log("Odd", severity="WARNING")])
    artifact = agent.screenshot(1, attempt=1).json()["artifactid"]
    agent.finish(1, last=2, status=status)
    with database.reading() as session:
        key = session.scalars(select(tables.Screenshot.object_key)).one()
    assert client.delete("/ai/runs/1", headers=alice.bearer).status_code == 200
    with database.reading() as session:
        left = {row.__tablename__: session.scalar(select(func.count()).select_from(row)) for row in LEFT}
        version = session.scalars(select(tables.ModelVersion)).one()
        counts = session.scalars(select(tables.RunCount.runs)).all()
    assert set(left.values()) == {0}, left
    assert (version.passed, version.failed, version.broken) == (0, 0, 0)
    assert set(counts) == {0}
    sweep_objects(app.state.parts, threading.Event())
    assert list(app.state.parts.store.keys(key)) == []
    for path in ("runs/1", "runs/1/timings", "runlogs/1", f"screenshots/{artifact}"):
        assert client.get(f"/ai/{path}", headers=alice.bearer).status_code == 404


def test_the_agent_of_a_deleted_run_is_told_to_drop_it(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    agent.take()
    assert client.delete("/ai/runs/1", headers=alice.bearer).status_code == 200
    answers = [agent.report(1, [step(1)]), agent.heartbeat(1), agent.finish(1)]
    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert client.get("/ai/runs", headers=alice.bearer).json()["total_count"] == 0
    assert agent.claim().status_code == 204


def test_a_run_that_waits_can_be_deleted_and_is_never_walked(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    assert client.delete("/ai/runs/1", headers=alice.bearer).status_code == 200
    assert agent.claim().status_code == 204
    assert client.get(f"/ai/executions/{started['id']}", headers=alice.bearer).status_code == 404
    assert client.get(f"/ai/testconfigtasks/{started['id']}", headers=alice.bearer).status_code == 404


def test_an_execution_stays_while_it_has_another_run(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    first = walk(client, alice, agent, model_id=clinic["modeluuid"], status="FAILED")
    walk(client, alice, agent, model_id=clinic["modeluuid"])
    with database.writing() as session:
        session.get_one(tables.Run, 2).execution_id = first["id"]
    assert (
        client.get(f"/ai/testconfigtasks/{first['id']}", headers=alice.bearer).json()["runstatus"] == "FAILED"
    )
    client.delete("/ai/runs/1", headers=alice.bearer)
    assert (
        client.get(f"/ai/testconfigtasks/{first['id']}", headers=alice.bearer).json()["runstatus"] == "PASSED"
    )


def test_steps_of_an_old_attempt_are_neither_counted_nor_taken_back(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    walk(client, alice, agent, model_id=clinic["modeluuid"])
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    agent.take()
    agent.report(2, [step(1), step(2, "HomePage", "e_FindOwners")])
    with database.writing() as session:
        run = session.get_one(tables.Run, 2)
        run.status, run.agent_id = "QUEUED", None
    agent.take()
    agent.report(2, [step(1)], attempt=2)
    agent.finish(2, last=1, attempt=2)
    client.delete("/ai/runs/2", headers=alice.bearer)
    with database.reading() as session:
        rows = session.scalars(select(tables.TransitionTotal)).all()
    assert [(row.state, row.action, row.passes, row.fails) for row in rows] == [
        ("Initial", "e_StartBrowser", 1, 0)
    ]


def test_only_callers_who_see_a_run_delete_it(
    client: TestClient,
    alice: Person,
    bob: Person,
    nobody: Person,
    admin: Person,
    lab: Program,
    clinic: dict[str, Any],
    agent: HandAgent,
) -> None:
    walk(client, alice, agent, model_id=clinic["modeluuid"])
    response = client.delete("/ai/runs/1", headers=bob.bearer)
    assert response.status_code == 404
    assert response.json() == {"message": "There is no run 1."}
    for person in (nobody, lab):
        assert client.delete("/ai/runs/1", headers=person.bearer).status_code == 403
    assert client.get("/ai/runs/1", headers=alice.bearer).status_code == 200
    assert client.delete("/ai/runs/1", headers=admin.bearer).status_code == 200
    response = client.delete("/ai/runs/1", headers=alice.bearer)
    assert response.status_code == 404
    assert response.json() == {"message": "There is no run 1."}
