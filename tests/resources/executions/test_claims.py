"""The agents' protocol: registering, and claiming a run."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import select, update

from opendai import tables
from opendai.database import Database
from opendai.resources.executions.queue import count_runs_for_agents
from tests.arranging.walking import ANY_AGENT, HandAgent, start, step
from tests.conftest import MakeProgram, Person, Program
from tests.inprocess import TestClient


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
    client: TestClient, make_program: MakeProgram, alice: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    other = HandAgent(client, make_program("other", "agent"))
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


def test_the_queue_is_counted_by_the_agent_that_is_wanted(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    for wanted in (ANY_AGENT, ANY_AGENT, {"agent_id": str(agent.id)}, ANY_AGENT):
        start(client, alice, model_id=clinic["modeluuid"], agent=wanted)
    agent.take()
    with database.reading() as session:
        assert count_runs_for_agents(session) == {None: 2, agent.id: 1}


def test_a_run_whose_row_is_locked_for_a_moment_is_claimed_all_the_same(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    is_locked = threading.Event()

    def lock() -> None:
        with database.writing() as session:
            session.execute(select(tables.Run.id).with_for_update()).all()
            is_locked.set()
            time.sleep(0.5)

    with ThreadPoolExecutor(1) as pool:
        locking = pool.submit(lock)
        assert is_locked.wait(5)
        assert agent.claim().status_code == 200
        locking.result()
