"""The agents' protocol: register, claim, report, finish, and the fence around all of it."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from opendai import tables
from opendai.database import Database
from opendai.resources.executions.endings import expire_leases
from tests.conftest import Person, Program, make_program
from tests.resources.test_models import create_model
from tests.resources.walking import ANY_AGENT, EXECUTIONS, HandAgent, execution, log, start, step


@pytest.fixture
def clinic(client: TestClient, alice: Person, samples: dict[str, str]) -> dict[str, Any]:
    return create_model(client, alice, samples["petclinic"])


@pytest.fixture
def agent(client: TestClient, lab: Program) -> HandAgent:
    return HandAgent(client, lab)


@pytest.fixture
def run(client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent) -> dict[str, Any]:
    """A run that the agent has claimed."""
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT, seed=5)
    return agent.take()


def lose_lease(database: Database) -> None:
    """As if the lease had run out, and the reaper had been by."""
    with database.writing() as session:
        session.execute(update(tables.Run).values(lease_ends=0))
        expire_leases(session, attempts=3)


def test_registering_shows_the_agent_as_connected_under_its_clients_name(
    client: TestClient, admin: Person, lab: Program
) -> None:
    for _ in range(2):
        response = client.post(
            "/agent_service/api/v1/agents", headers=lab.bearer, json={"drivers": ["simulate"]}
        )
        assert response.json() == {"agent_id": 1, "name": "lab", "lease_seconds": 5}
    agents = client.get("/ai/agents", headers=admin.bearer).json()
    assert [(agent["name"], agent["isconnected"], agent["agenttype"]) for agent in agents] == [
        ("lab", True, "RUN")
    ]
    client.post("/agent_service/api/v1/agents/disconnect", headers=lab.bearer)
    assert client.get("/ai/agents/1", headers=admin.bearer).json()["isconnected"] is False


def test_an_agent_whose_lease_ended_is_not_connected(
    client: TestClient, admin: Person, agent: HandAgent, database: Database
) -> None:
    with database.writing() as session:
        session.execute(update(tables.Agent).values(connected_until=1.0))
    assert client.get("/ai/agents/1", headers=admin.bearer).json()["isconnected"] is False
    agent.claim()
    assert client.get("/ai/agents/1", headers=admin.bearer).json()["isconnected"] is True


def test_an_agent_that_was_written_down_by_hand_is_taken_over_by_its_client(
    client: TestClient, admin: Person, lab: Program
) -> None:
    client.post("/ai/agents", headers=admin.bearer, json={"name": "lab", "suite": "S"})
    assert HandAgent(client, lab).id == 1


def test_people_are_no_agents(client: TestClient, alice: Person, admin: Person) -> None:
    for person in (alice, admin):
        response = client.post("/agent_service/api/v1/agents", headers=person.bearer, json={})
        assert response.status_code == 403
        assert response.json() == {"detail": "This is for the API clients of agents."}


def test_a_client_that_is_not_registered_is_told_so(client: TestClient, lab: Program) -> None:
    response = client.post("/agent_service/api/v1/claims", headers=lab.bearer, json={"wait_seconds": 0})
    assert response.status_code == 404


def test_a_claim_brings_all_that_is_needed_to_walk(
    run: dict[str, Any], clinic: dict[str, Any], samples: dict[str, str]
) -> None:
    assert run == {
        "run_id": 1,
        "attempt": 1,
        "execution_id": run["execution_id"],
        "lease_seconds": 5,
        "model": {
            "name": "PetClinic",
            "modelId": clinic["modeluuid"],
            "hierarchyid": 1,
            "modeljson": samples["petclinic"],
        },
        "plan": {
            "kind": "exploratory",
            "seed": 5,
            "step_limit": 10_000,
            "target_coverage": None,
            "test_case": None,
        },
        "hits": [],
        "step_pause_seconds": 0.0,
        "asset": None,
        "sut": None,
    }


def test_nothing_to_do_is_204(agent: HandAgent) -> None:
    response = agent.claim()
    assert (response.status_code, response.content) == (204, b"")


def test_a_claim_waits_for_work(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    assert agent.claim(wait_seconds=0.4).status_code == 204
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    assert agent.claim(wait_seconds=30).status_code == 200


def test_the_oldest_run_is_claimed_first_and_each_run_once(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    for _ in range(3):
        start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    assert [agent.take()["run_id"] for _ in range(3)] == [1, 2, 3]
    assert agent.claim().status_code == 204


def test_a_run_that_wants_one_agent_waits_for_it_alone(
    client: TestClient, app: FastAPI, alice: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    other = HandAgent(client, make_program(app, "other", "agent"))
    start(client, alice, model_id=clinic["modeluuid"], agent={"agent_id": str(other.id)})
    assert agent.claim().status_code == 204
    assert other.take()["run_id"] == 1


def test_the_same_claim_key_brings_the_same_claim_again(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    key = "6f0c2f2e-0000-4000-8000-000000000001"
    for _ in range(2):
        start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    first = agent.claim(claim_key=key).json()
    assert agent.claim(claim_key=key).json() == first
    assert agent.claim(claim_key=key.replace("1", "2")).json()["run_id"] == 2


def test_earlier_and_present_runs_are_told_as_hits(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, run: dict[str, Any]
) -> None:
    agent.report(1, [step(1), step(2, "HomePage", "e_FindOwners")])
    agent.finish(1, last=2)
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    assert agent.take()["hits"] == [["HomePage", "e_FindOwners", 1], ["Initial", "e_StartBrowser", 1]]
    agent.report(2, [step(1)])
    assert agent.take()["hits"] == [["HomePage", "e_FindOwners", 1], ["Initial", "e_StartBrowser", 2]]


def test_events_become_timings_and_log_lines(
    client: TestClient, alice: Person, agent: HandAgent, run: dict[str, Any]
) -> None:
    events = [
        step(1, seconds=1.25),
        log(
            "Browser is up",
            severity="WARNING",
            time="2026-11-22T09:30:01.360+00:00",
            step=1,
            image_name="a.png",
        ),
        step(2, "HomePage", "e_FindOwners", passed=False, message="no such button"),
    ]
    assert agent.report(1, events).json() == {"last": 3, "abort": False, "lease_seconds": 5}
    assert client.get("/ai/runs/1/timings", headers=alice.bearer).json() == [
        {"order": 1, "state": "Initial", "action": "e_StartBrowser", "timing": 1.25},
        {"order": 2, "state": "HomePage", "action": "e_FindOwners", "timing": 0.25},
    ]
    line = client.get("/ai/runlogs/1", headers=alice.bearer).json()["items"][1]
    assert line == {
        "id": 2,
        "eventtime": "2026-11-22T09:30:01.360000+00:00",
        "testrunid": 1,
        "message": "Browser is up",
        "severity": "WARNING",
        "step_id": 1,
        "stage": None,
        "message_type": None,
        "image_name": "a.png",
        "image_id": None,
    }


def test_a_batch_that_comes_twice_or_overlaps_is_stored_once(
    client: TestClient, alice: Person, agent: HandAgent, run: dict[str, Any]
) -> None:
    batch = [step(1), log("one")]
    for _ in range(2):
        assert agent.report(1, batch).json()["last"] == 2
    assert agent.report(1, [log("one"), step(2, "HomePage", "e_FindOwners")], first=2).json()["last"] == 3
    assert agent.report(1, [], first=4).json()["last"] == 3
    assert len(client.get("/ai/runs/1/timings", headers=alice.bearer).json()) == 2
    assert client.get("/ai/runlogs/1", headers=alice.bearer).json()["total_count"] == 2


def test_a_gap_is_refused_and_the_next_number_is_said(agent: HandAgent, run: dict[str, Any]) -> None:
    response = agent.report(1, [step(1)], first=2)
    assert response.status_code == 409
    assert response.json() == {"detail": "The next event of run 1 is number 1."}


@pytest.mark.parametrize(
    "event",
    [
        step(2),
        step(1, phase="dream"),
        step(1, seconds=-1),
        step(1, state="x" * 256),
        {"type": "dance"},
        {"type": "log"},
        log("x", severity="LOUD"),
        log("x", time="yesterday"),
        log("x", time="0001-01-01T00:00:00Z"),
        log("x", step=2**31),
    ],
)
def test_an_event_that_cannot_be_is_refused_with_its_whole_batch(
    client: TestClient, alice: Person, agent: HandAgent, run: dict[str, Any], event: dict[str, Any]
) -> None:
    assert agent.report(1, [log("fine"), event]).status_code == 422
    assert agent.heartbeat(1).json()["last"] == 0
    assert client.get("/ai/runlogs/1", headers=alice.bearer).json()["total_count"] == 1


def test_more_than_five_hundred_events_are_refused(agent: HandAgent, run: dict[str, Any]) -> None:
    assert agent.report(1, [log("x")] * 501).status_code == 422
    assert agent.report(1, [log("x")] * 500).status_code == 200


def test_finishing_gives_the_run_its_status_and_coverage(
    client: TestClient, alice: Person, agent: HandAgent, run: dict[str, Any], database: Database
) -> None:
    agent.report(1, [step(1), step(2, "HomePage", "e_FindOwners", passed=False, message="no such button")])
    ending = {
        "status": "FAILED",
        "reason": "a step failed",
        "failed_state": "HomePage",
        "failed_action": "e_FindOwners",
    }
    for _ in range(2):
        assert agent.finish(1, last=2, **ending).json() == {"status": "FAILED"}
    body = client.get("/ai/runs/1", headers=alice.bearer).json()
    assert (body["teststatus"], body["failedaction"]) == ("FAILED", "e_FindOwners")
    assert 0 < body["coverage"] < 0.2
    assert body["endtime"] >= body["starttime"]
    coverage = client.get("/ai/models/1/coverage", headers=alice.bearer).json()
    assert (coverage["testCount"], coverage["passCount"], coverage["failCount"]) == ("1", "0", "1")
    with database.reading() as session:
        totals = session.execute(
            select(tables.TransitionTotal.action, tables.TransitionTotal.passes, tables.TransitionTotal.fails)
        ).all()
    assert sorted(totals) == [("e_FindOwners", 0, 1), ("e_StartBrowser", 1, 0)]


def test_finishing_before_every_event_is_there_is_refused(agent: HandAgent, run: dict[str, Any]) -> None:
    agent.report(1, [step(1)])
    response = agent.finish(1, last=2)
    assert response.status_code == 409
    assert response.json() == {"detail": "The last event of run 1 is number 1, not 2."}


def test_an_error_is_written_down_with_its_reason(
    client: TestClient, alice: Person, agent: HandAgent, run: dict[str, Any], database: Database
) -> None:
    agent.finish(1, status="ERROR", reason="the driver is missing", unreachable=['State "X"'])
    with database.reading() as session:
        entry = session.scalars(select(tables.ErrorEntry)).one()
    assert entry.execution_id == run["execution_id"]
    assert entry.message == 'Run 1: the driver is missing; out of reach: State "X".'
    lines = client.get("/ai/runlogs/1", headers=alice.bearer).json()["items"]
    assert "the driver is missing" in lines[-1]["message"]


def test_a_lost_lease_queues_the_run_again_and_fences_the_old_attempt(
    client: TestClient, app: FastAPI, alice: Person, agent: HandAgent, run: dict[str, Any], database: Database
) -> None:
    agent.report(1, [step(1)])
    lose_lease(database)
    assert execution(client, alice, run["execution_id"])["is_running"] is False
    assert client.get("/ai/runs/1", headers=alice.bearer).json()["teststatus"] == "INCOMPLETE"
    other = HandAgent(client, make_program(app, "other", "agent"))
    assert other.take()["attempt"] == 2
    late = [
        agent.report(1, [step(2)], first=2),
        agent.heartbeat(1),
        agent.finish(1, last=1),
        agent.report(1, [step(1)], attempt=2),
        agent.screenshot(1, attempt=1),
        agent.screenshot(1, attempt=2),
    ]
    assert [response.status_code for response in late] == [409] * 6
    assert client.get("/ai/runs/1/timings", headers=alice.bearer).json() == []
    assert client.get("/ai/runs/1/screenshots", headers=alice.bearer).json()["total_count"] == 0
    assert other.report(1, [step(1)], attempt=2).json()["last"] == 1
    assert other.finish(1, attempt=2, last=1).json() == {"status": "PASSED"}


def test_after_three_attempts_the_run_is_an_error(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    for attempt in (1, 2, 3):
        assert agent.take()["attempt"] == attempt
        lose_lease(database)
    assert agent.claim().status_code == 204
    ended = execution(client, alice, started["id"])
    assert (ended["status"], ended["reason"]) == ("ERROR", "3 attempts ended without a report in time")
    with database.reading() as session:
        assert session.scalars(select(tables.ErrorEntry.message)).all() == [
            "Run 1: 3 attempts ended without a report in time."
        ]
    last = client.get("/ai/runlogs/1", headers=alice.bearer).json()["items"][-1]
    assert "3 attempts ended without a report in time" in last["message"]


def test_an_aborted_run_whose_agent_fell_silent_is_cancelled(
    client: TestClient, alice: Person, run: dict[str, Any], database: Database
) -> None:
    client.delete(f"{EXECUTIONS}/{run['execution_id']}", headers=alice.bearer)
    lose_lease(database)
    assert execution(client, alice, run["execution_id"])["status"] == "CANCELLED"


def test_a_report_keeps_the_lease(agent: HandAgent, run: dict[str, Any], database: Database) -> None:
    with database.writing() as session:
        session.execute(update(tables.Run).values(lease_ends=0))
        session.commit()
        assert agent.heartbeat(1).status_code == 200
    with database.writing() as session:
        assert expire_leases(session, attempts=3) == 0


def test_another_agent_cannot_report_on_the_run(
    client: TestClient, app: FastAPI, agent: HandAgent, run: dict[str, Any]
) -> None:
    other = HandAgent(client, make_program(app, "other", "agent"))
    assert other.report(1, [step(1)]).status_code == 409
    assert other.finish(1).status_code == 409
    assert agent.report(9, []).status_code == 409


def test_deleting_an_agent_ends_what_waits_for_it(
    client: TestClient, alice: Person, admin: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], agent={"agent_id": str(agent.id)})
    assert client.delete(f"/ai/agents/{agent.id}", headers=admin.bearer).status_code == 200
    ended = execution(client, alice, started["id"])
    assert (ended["status"], ended["reason"]) == ("ERROR", "the agent that it waited for was deleted")
    assert agent.claim().status_code == 404


def test_an_agents_client_may_do_nothing_else(
    client: TestClient, lab: Program, clinic: dict[str, Any]
) -> None:
    for method, path in (
        ("GET", "/ai/models"),
        ("GET", "/ai/runs"),
        ("GET", "/ai/testcases"),
        ("POST", "/ai/models"),
        ("POST", EXECUTIONS),
    ):
        body = {"name": "M", "group": "shop", "model_id": clinic["modeluuid"]}
        response = client.request(method, path, headers=lab.bearer, json=body)
        assert response.status_code == 403, path


def test_a_finished_run_counts_its_test_case_once(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    start(client, alice, model_id=clinic["modeluuid"], test_case_id=2, agent=ANY_AGENT)
    claim = agent.take()
    assert claim["plan"]["kind"] == "directed"
    assert claim["plan"]["test_case"] == 'State "Veterinarians"'
    agent.report(1, [step(1)])
    for _ in range(2):
        agent.finish(1, last=1, status="FAILED")
    case = client.get("/ai/testcases", headers=alice.bearer).json()[1]
    assert (case["tests"], case["fails"]) == ("1", "1")
    with database.reading() as session:
        assert session.scalar(select(func.sum(tables.TransitionTotal.passes))) == 1
