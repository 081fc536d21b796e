"""Starting, following and aborting executions, and the walks that the server makes itself."""

from typing import Any

import pytest
from sqlalchemy import func, select

from opendai import tables
from opendai.database import Database
from tests.arranging.models import create_model
from tests.arranging.walking import ANY_AGENT, EXECUTIONS, HandAgent, execution, start, wait_for_end
from tests.conftest import Person, Program
from tests.inprocess import TestClient


def test_starting_answers_one_id_under_every_name_and_the_runs_number(
    client: TestClient, alice: Person, clinic: dict[str, Any]
) -> None:
    body = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT, execution_type="executing")
    assert body == {
        "id": body["id"],
        "execution_id": body["id"],
        "execution_status_id": body["id"],
        "task_instance_id": body["id"],
        "run_id": 1,
        "status": "INCOMPLETE",
    }
    run = client.get("/ai/runs/1", headers=alice.bearer).json()
    assert (run["teststatus"], run["testconfigtask"], run["endtime"]) == ("INCOMPLETE", body["id"], None)


def test_without_an_agent_the_server_walks_by_itself(
    client: TestClient, alice: Person, clinic: dict[str, Any]
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], agent=None, seed=7)
    ended = wait_for_end(client, alice, started["id"])
    assert (ended["status"], ended["coverage"], ended["seed"]) == ("PASSED", 1.0, 7)
    timings = client.get("/ai/runs/1/timings", headers=alice.bearer).json()
    assert [timing["order"] for timing in timings] == list(range(1, ended["steps"] + 1))
    assert timings[0] == {"order": 1, "state": "Initial", "action": "e_StartBrowser", "timing": 0.0}
    coverage = client.get("/ai/models/1/coverage", headers=alice.bearer).json()
    assert (coverage["coverage"], coverage["testCount"], coverage["passCount"]) == ("1.0", "1", "1")
    assert coverage["bob"] == coverage["coverage"]


def test_the_same_seed_walks_the_same_path(client: TestClient, alice: Person, clinic: dict[str, Any]) -> None:
    wanted = {"model_id": clinic["modeluuid"], "generator": "random", "seed": 42, "step_limit": 60}
    for _ in range(2):
        wait_for_end(client, alice, start(client, alice, **wanted)["id"])
    first, second = (client.get(f"/ai/runs/{run}/timings", headers=alice.bearer).json() for run in (1, 2))
    assert len(first) == 60
    assert first == second


def test_a_rerun_repeats_an_exploratory_walk_exactly(
    client: TestClient, alice: Person, clinic: dict[str, Any]
) -> None:
    for fields in ({"model_id": clinic["modeluuid"]}, {"model_id": clinic["modeluuid"]}, {"rerun_id": 1}):
        wait_for_end(client, alice, start(client, alice, **fields)["id"])
    walks = [client.get(f"/ai/runs/{run}/timings", headers=alice.bearer).json() for run in (1, 2, 3)]
    assert walks[0] == walks[2]
    runs = [client.get(f"/ai/runs/{run}", headers=alice.bearer).json() for run in (1, 3)]
    assert runs[0]["seed"] == runs[1]["seed"]


def test_a_test_case_is_walked_by_its_row_id(
    client: TestClient, alice: Person, clinic: dict[str, Any]
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], test_case_id=1)
    assert wait_for_end(client, alice, started["id"])["status"] == "PASSED"
    run = client.get("/ai/runs/1", headers=alice.bearer).json()
    assert (run["runtype"], run["testcase"]) == ("directed", "Find an owner")
    timings = client.get("/ai/runs/1/timings", headers=alice.bearer).json()
    assert [timing["state"] for timing in timings] == ["Initial", "HomePage", "FindOwners", "NewOwner"]
    case = client.get("/ai/testcases", headers=alice.bearer).json()[0]
    assert (case["tests"], case["fails"]) == ("1", "0")


def test_a_goal_out_of_reach_ends_the_run_at_once_and_says_which(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    text = samples["petclinic"].replace('State \\"Veterinarians\\"', 'State \\"Error\\"')
    model = create_model(client, alice, text)
    ended = wait_for_end(
        client, alice, start(client, alice, model_id=model["modeluuid"], test_case_id=2)["id"]
    )
    assert (ended["status"], ended["steps"]) == ("ERROR", 0)
    assert 'State "Error"' in ended["reason"]


@pytest.mark.parametrize("target", [0.25, 1.0])
def test_a_target_coverage_ends_the_walk(
    client: TestClient, alice: Person, clinic: dict[str, Any], target: float
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], target_coverage=target)
    ended = wait_for_end(client, alice, started["id"])
    assert target <= ended["coverage"] <= target + 0.1


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({}, "model_id"),
        ({"script": "Login"}, "script"),
        ({"model_id": "unknown"}, "model_id"),
        ({"model_id": 7}, "model_id"),
        ({"test_case_id": 99}, "test_case_id"),
        ({"agent": {"agent_id": "99"}}, "agent_id"),
        ({"agent": {"agent_id": "someone"}}, "agent_id"),
        ({"agent": "any"}, "agent"),
        ({"agent": {"agent_id": True}}, "agent_id"),
        ({"agent": {"agent_id": 2**70}}, "agent_id"),
        ({"rerun_id": 99}, "rerun_id"),
        ({"execution_type": "dreaming"}, "execution_type"),
        ({"generator": "directed"}, "generator"),
        ({"seed": -1}, "seed"),
        ({"step_limit": 0}, "step_limit"),
        ({"target_coverage": 1.5}, "target_coverage"),
        ({"step_pause_time": 1e99}, "step_pause_time"),
    ],
)
def test_what_cannot_be_executed_is_422_and_nothing_is_queued(
    client: TestClient,
    alice: Person,
    clinic: dict[str, Any],
    database: Database,
    fields: dict[str, Any],
    place: str,
) -> None:
    names_a_model = "model_id" in fields or "rerun_id" in fields or fields in ({}, {"script": "Login"})
    body = fields if names_a_model else {"model_id": clinic["modeluuid"], **fields}
    response = client.post(EXECUTIONS, headers=alice.bearer, json=body)
    assert response.status_code == 422, response.text
    fault = response.json()["detail"][0]
    assert fault.keys() == {"loc", "msg", "type"}
    assert place in fault["loc"]
    with database.reading() as session:
        assert session.scalar(select(func.count(tables.Run.id))) == 0


def test_a_foreign_model_or_run_cannot_be_executed(
    client: TestClient, alice: Person, bob: Person, clinic: dict[str, Any]
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    for fields in ({"model_id": clinic["modeluuid"]}, {"rerun_id": started["run_id"]}):
        assert client.post(EXECUTIONS, headers=bob.bearer, json=fields).status_code == 422
    for method in ("GET", "DELETE"):
        response = client.request(method, f"{EXECUTIONS}/{started['id']}", headers=bob.bearer)
        assert response.status_code == 404
        assert response.json() == {"detail": f"There is no execution {started['id']}."}
    assert execution(client, alice, started["id"])["status"] == "INCOMPLETE"


def test_aborting_what_waits_cancels_it_at_once_and_twice_is_the_same(
    client: TestClient, alice: Person, clinic: dict[str, Any]
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    for _ in range(2):
        response = client.delete(f"{EXECUTIONS}/{started['id']}", headers=alice.bearer)
        assert (response.status_code, response.content) == (204, b"")
        assert execution(client, alice, started["id"])["status"] == "CANCELLED"


def test_aborting_what_is_walked_reaches_the_agent_with_its_next_report(
    client: TestClient, alice: Person, lab: Program, clinic: dict[str, Any]
) -> None:
    agent = HandAgent(client, lab)
    started = start(client, alice, model_id=clinic["modeluuid"], agent={"agent_id": str(agent.id)})
    agent.take()
    assert agent.heartbeat(1).json()["abort"] is False
    for _ in range(2):
        assert client.delete(f"{EXECUTIONS}/{started['id']}", headers=alice.bearer).status_code == 204
    assert execution(client, alice, started["id"])["status"] == "INCOMPLETE"
    assert agent.heartbeat(1).json()["abort"] is True
    assert agent.finish(1, status="PASSED").json() == {"status": "CANCELLED"}
    assert client.delete(f"{EXECUTIONS}/{started['id']}", headers=alice.bearer).status_code == 204
    assert execution(client, alice, started["id"])["status"] == "CANCELLED"


def test_aborting_what_has_ended_changes_nothing(
    client: TestClient, alice: Person, clinic: dict[str, Any]
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"])
    ended = wait_for_end(client, alice, started["id"])
    assert client.delete(f"{EXECUTIONS}/{started['id']}", headers=alice.bearer).status_code == 204
    assert execution(client, alice, started["id"]) == ended


def test_an_unknown_execution_is_404_and_an_impossible_id_422(client: TestClient, alice: Person) -> None:
    unknown = f"{EXECUTIONS}/00000000-0000-4000-8000-000000000000"
    for method in ("GET", "DELETE"):
        assert client.request(method, unknown, headers=alice.bearer).status_code == 404
        assert client.request(method, f"{EXECUTIONS}/7", headers=alice.bearer).status_code == 422
