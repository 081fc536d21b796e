"""/ai/testconfigtasks, one by one, and the old address of an execution's status."""

import uuid
from typing import Any

import pytest

from opendai.database import Database
from tests.arranging.hand_walks import walk
from tests.arranging.tasks import CONFIG, TASKS, UNKNOWN, get, number_of_tasks, post, task_of_several_runs
from tests.arranging.walking import ANY_AGENT, HandAgent, execution, log, start, step
from tests.conftest import Person
from tests.inprocess import TestClient


def test_a_task_that_ran_elsewhere_is_recorded(client: TestClient, alice: Person) -> None:
    task_id = str(uuid.uuid4())
    sent = {
        "task_instance_id": task_id.upper(),
        "test_config_id": CONFIG,
        "runstatus": "failed",
        "created_datetime": "2001-01-01",
        "surprise": [1],
    }
    created = post(client, alice, **sent)
    assert created == {
        "created_datetime": created["created_datetime"],
        "runstatus": "FAILED",
        "test_config_id": CONFIG,
        "task_instance_id": task_id,
        "updated_datetime": created["updated_datetime"],
    }
    assert not created["created_datetime"].startswith("2001")
    assert get(client, alice, f"/{task_id}") == created
    assert get(client, alice) == [created]


def test_only_the_status_is_needed(client: TestClient, alice: Person) -> None:
    created = post(client, alice)
    assert (created["runstatus"], created["test_config_id"]) == ("PASSED", None)
    assert uuid.UUID(created["task_instance_id"]).version == 4


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "runstatus"),
        ({"runstatus": None}, "runstatus"),
        ({"runstatus": "DONE"}, "runstatus"),
        ({"runstatus": 1}, "runstatus"),
        ({"runstatus": "PASSED", "task_instance_id": "7"}, "task_instance_id"),
        ({"runstatus": "PASSED", "task_instance_id": 7}, "task_instance_id"),
        ({"runstatus": "PASSED", "test_config_id": "nightly"}, "test_config_id"),
    ],
)
def test_an_invalid_task_is_refused_and_nothing_is_stored(
    client: TestClient, alice: Person, database: Database, body: dict[str, Any], field: str
) -> None:
    response = client.post(TASKS, headers=alice.bearer, json=body)
    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["errors"]] == [field]
    assert number_of_tasks(database) == 0


def test_an_id_that_is_taken_is_refused(
    client: TestClient, alice: Person, clinic: dict[str, Any], database: Database
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    response = client.post(
        TASKS, headers=alice.bearer, json={"runstatus": "PASSED", "task_instance_id": started["id"]}
    )
    assert response.status_code == 400
    assert response.json() == {
        "message": "The task instance id is taken.",
        "errors": [{"field": "task_instance_id", "problem": "is the id of another task"}],
    }
    assert number_of_tasks(database) == 1
    assert get(client, alice, f"/{started['id']}")["runstatus"] == "INCOMPLETE"


@pytest.mark.parametrize("status", ["PASSED", "FAILED", "ERROR", "CANCELLED"])
def test_the_status_of_an_execution_follows_from_its_run(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, status: str
) -> None:
    waiting = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)["id"]
    agent.take()
    assert get(client, alice, f"/{waiting}")["runstatus"] == "INCOMPLETE"
    agent.finish(1, status=status)
    task = get(client, alice, f"/{waiting}")
    assert task["runstatus"] == status
    assert task["updated_datetime"] > task["created_datetime"]


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        (["PASSED", "PASSED"], "PASSED"),
        (["PASSED", "CANCELLED"], "CANCELLED"),
        (["ERROR", "CANCELLED"], "ERROR"),
        (["ERROR", "FAILED"], "FAILED"),
        (["FAILED", None], "INCOMPLETE"),
    ],
)
def test_a_task_has_the_status_of_its_worst_run(
    client: TestClient,
    alice: Person,
    clinic: dict[str, Any],
    agent: HandAgent,
    database: Database,
    statuses: list[str | None],
    worst: str,
) -> None:
    task_id = task_of_several_runs(client, alice, clinic, agent, database, statuses)
    assert get(client, alice, f"/{task_id}")["runstatus"] == worst


def test_setting_the_status_wins_over_the_runs(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    task_id = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)["id"]
    before = get(client, alice, f"/{task_id}")
    response = client.put(
        f"{TASKS}/{task_id}", headers=alice.bearer, json={"runstatus": "CANCELLED", "test_config_id": CONFIG}
    )
    assert response.status_code == 200
    changed = response.json()
    assert changed == {**before, "runstatus": "CANCELLED", "updated_datetime": changed["updated_datetime"]}
    assert changed["updated_datetime"] > before["updated_datetime"]
    agent.take()
    agent.finish(1)
    assert get(client, alice, f"/{task_id}")["runstatus"] == "CANCELLED"
    assert client.get("/ai/runs/1", headers=alice.bearer).json()["teststatus"] == "PASSED"


@pytest.mark.parametrize("body", [{}, {"runstatus": "DONE"}, {"runstatus": None}, {"runstatus": ["PASSED"]}])
def test_an_unknown_status_is_refused_and_nothing_changes(
    client: TestClient, alice: Person, body: dict[str, Any]
) -> None:
    created = post(client, alice)
    path = f"/{created['task_instance_id']}"
    response = client.put(TASKS + path, headers=alice.bearer, json=body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "runstatus"
    assert get(client, alice, path) == created


def test_details_have_the_errors_and_the_warnings_by_time(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    events = [
        log("Up", time="2020-11-22T09:30:00+00:00"),
        log("Slow", severity="WARNING", time="2020-11-22T09:31:00+00:00"),
        step(1),
    ]
    task_id = walk(client, alice, agent, model_id=clinic["modeluuid"], status="ERROR", events=events)["id"]
    details = get(client, alice, f"/{task_id}/details")
    messages = details.pop("messages")
    assert details == get(client, alice, f"/{task_id}")
    assert messages[0] == {
        "time": "2020-11-22T09:31:00+00:00",
        "severity": "WARNING",
        "message": "Slow",
        "run_id": 1,
    }
    assert [(message["severity"], message["message"], message["run_id"]) for message in messages[1:]] == [
        ("ERROR", "Run 1: as told.", 1),
        ("WARNING", "The run ended as ERROR: as told.", 1),
    ]


def test_the_summary_counts_runs_steps_and_seconds(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    statuses = ["PASSED", "PASSED", "FAILED", "ERROR", "CANCELLED", None]
    task_id = task_of_several_runs(client, alice, clinic, agent, database, statuses)
    assert get(client, alice, f"/{task_id}/summary") == {
        "total_steps_in_test_config": 2,
        "test_config_total_runs_complete": 5,
        "test_config_total_runs_passes": 2,
        "test_config_total_runs_failures": 1,
        "test_config_total_runs_incomplete": 1,
        "test_config_total_runs_cancelled": 1,
        "test_config_total_runs_in_error": 1,
        "total_execution_time_secs": 7.5,
        "task_instance_steps_completed": 1,
        "sut_used": "phone-1",
    }


def test_the_summary_and_details_of_a_task_that_ran_elsewhere_are_empty(
    client: TestClient, alice: Person
) -> None:
    created = post(client, alice)
    path = f"/{created['task_instance_id']}"
    summary = get(client, alice, f"{path}/summary")
    assert {value for name, value in summary.items() if name != "sut_used"} == {0}
    assert summary["sut_used"] is None
    assert get(client, alice, f"{path}/details") == {**created, "messages": []}


def test_deleting_a_model_deletes_its_tasks(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    walk(client, alice, agent, model_id=clinic["modeluuid"], status="ERROR")
    client.delete("/ai/models/1", headers=alice.bearer)
    assert number_of_tasks(database) == 0
    assert get(client, alice) == []


def test_the_status_of_an_execution_is_at_its_old_address_too(
    client: TestClient, alice: Person, bob: Person, clinic: dict[str, Any]
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)["id"]
    response = client.get(f"/ai/executions/{started}", headers=alice.bearer)
    assert (response.status_code, response.json()) == (200, execution(client, alice, started))
    for person, task_id in ((bob, started), (alice, UNKNOWN)):
        response = client.get(f"/ai/executions/{task_id}", headers=person.bearer)
        assert response.status_code == 404
        assert response.json() == {"message": f"There is no execution {task_id}."}
    assert client.get("/ai/executions/7", headers=alice.bearer).status_code == 400
