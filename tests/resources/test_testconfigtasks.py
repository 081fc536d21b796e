"""/ai/testconfigtasks, /ai/testconfigtasks_extended and the old address of an execution's status."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from opendai import tables
from opendai.database import Database
from tests.conftest import Person, Program
from tests.resources.hand_walks import walk
from tests.resources.test_models import create_model
from tests.resources.walking import ANY_AGENT, HandAgent, execution, log, start, step

TASKS = "/ai/testconfigtasks"
CONFIG = "0b0f9a52-6d0f-4d5e-8f0e-1f0c2f4f7a01"
OTHER_CONFIG = "0b0f9a52-6d0f-4d5e-8f0e-1f0c2f4f7a02"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def clinic(client: TestClient, alice: Person, samples: dict[str, str]) -> dict[str, Any]:
    return create_model(client, alice, samples["petclinic"])


@pytest.fixture
def agent(client: TestClient, lab: Program) -> HandAgent:
    return HandAgent(client, lab)


def post(client: TestClient, person: Person, **fields: Any) -> Any:
    response = client.post(TASKS, headers=person.bearer, json={"runstatus": "PASSED", **fields})
    assert response.status_code == 200, response.text
    return response.json()


def get(client: TestClient, person: Person, path: str = "") -> Any:
    response = client.get(TASKS + path, headers=person.bearer)
    assert response.status_code == 200, response.text
    return response.json()


def age(database: Database, *newest_first: str) -> None:
    """Give tasks moments of creation a minute apart."""
    with database.writing() as session:
        for minutes, task_id in enumerate(newest_first):
            task = session.get_one(tables.Execution, task_id)
            task.created_at = datetime(2026, 11, 22, tzinfo=UTC) - timedelta(minutes=minutes)


def number_of_tasks(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count(tables.Execution.id))) or 0


def test_a_task_that_ran_elsewhere_is_written_down(client: TestClient, alice: Person) -> None:
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
def test_a_task_that_cannot_be_is_refused_and_nothing_is_stored(
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
def test_a_task_of_several_runs_is_as_its_worst(
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


def task_of_several_runs(
    client: TestClient,
    person: Person,
    model: dict[str, Any],
    agent: HandAgent,
    database: Database,
    statuses: list[str | None],
) -> str:
    """One task whose runs have these statuses, None for one that waits; all of one step but the last."""
    fields = {"model_id": model["modeluuid"], "sut": {"sut_id": "phone-1"}}
    runs = [
        walk(client, person, agent, status=status, **fields)
        if status
        else start(client, person, agent=ANY_AGENT, **fields)
        for status in statuses
    ]
    with database.writing() as session:
        for number, run in enumerate(runs, start=1):
            row = session.get_one(tables.Run, run["run_id"])
            row.execution_id = runs[0]["id"]
            row.config_step = 1 if number < len(runs) else 2
            if row.ended_at:
                row.started_at = row.ended_at - timedelta(seconds=1.5)
    return str(runs[0]["id"])


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
def test_a_status_that_is_none_is_refused_and_nothing_changes(
    client: TestClient, alice: Person, body: dict[str, Any]
) -> None:
    created = post(client, alice)
    path = f"/{created['task_instance_id']}"
    response = client.put(TASKS + path, headers=alice.bearer, json=body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "runstatus"
    assert get(client, alice, path) == created


def test_lists_can_be_filtered_sorted_and_paged(
    client: TestClient, alice: Person, database: Database
) -> None:
    ids = [
        post(client, alice, runstatus=status, test_config_id=config)["task_instance_id"]
        for status, config in (
            ("PASSED", CONFIG),
            ("FAILED", CONFIG),
            ("ERROR", OTHER_CONFIG),
            ("CANCELLED", CONFIG),
            ("INCOMPLETE", None),
            ("FAILED", None),
        )
    ]
    age(database, *ids)
    asked = {
        "": [0, 1, 2, 3, 4, 5],
        f"?test_config_id={CONFIG}": [0, 1, 3],
        f"?test_config_id={CONFIG.upper()}&limit=1": [0],
        "?test_config_id=unknown": [],
        "?sort=%2Bcreated_datetime": [5, 4, 3, 2, 1, 0],
        "?sort=+created_datetime&limit=2": [5, 4],
        "?sort=-created_datetime&offset=4": [4, 5],
        "?sort=runstatus&limit=2": [3, 2],
        "?sort=test_config_id&offset=2&limit=4": [*sorted([0, 1, 3], key=lambda number: ids[number]), 2],
        "?sort=task_instance_id": sorted(range(6), key=lambda number: ids[number]),
        "?offset=2&limit=2": [2, 3],
        "?offset=-7&limit=1": [0],
        "?limit_per_test_config=1": [0, 2, 4, 5],
        "?limit_per_test_config=2": [0, 1, 2, 4, 5],
        f"?limit_per_test_config=2&test_config_id={CONFIG}&sort=%2Bcreated_datetime": [1, 0],
    }
    for query, numbers in asked.items():
        found = [task["task_instance_id"] for task in get(client, alice, query)]
        assert found == [ids[number] for number in numbers], query
        extended = client.get(f"{TASKS}_extended{query}", headers=alice.bearer).json()
        assert [task["task_instance_id"] for task in extended] == found, query


@pytest.mark.parametrize(
    "query",
    [
        "sort=started_by",
        "limit=0",
        "limit=1001",
        "offset=x",
        "limit_per_test_config=0",
        "limit_per_test_config=9999999999",
        "test_config_id=%00",
    ],
)
def test_a_query_that_cannot_be_is_refused(client: TestClient, alice: Person, query: str) -> None:
    for path in (TASKS, f"{TASKS}_extended"):
        response = client.get(f"{path}?{query}", headers=alice.bearer)
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


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


def test_the_summary_and_details_of_what_ran_elsewhere_are_empty(client: TestClient, alice: Person) -> None:
    created = post(client, alice)
    path = f"/{created['task_instance_id']}"
    summary = get(client, alice, f"{path}/summary")
    assert {value for name, value in summary.items() if name != "sut_used"} == {0}
    assert summary["sut_used"] is None
    assert get(client, alice, f"{path}/details") == {**created, "messages": []}


def test_the_extended_list_names_what_a_task_ran_on(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    one = walk(client, alice, agent, model_id=clinic["modeluuid"], sut={"criteria": ["android", "5g"]})["id"]
    waits = start(client, alice, model_id=clinic["modeluuid"])["id"]
    elsewhere = post(client, alice)["task_instance_id"]
    age(database, one, waits, elsewhere)
    nothing = {"suts": None, "test_config_name": None, "agents": None, "model_name": None}
    assert client.get(f"{TASKS}_extended", headers=alice.bearer).json() == [
        {
            **get(client, alice, f"/{one}"),
            "suts": "android, 5g",
            "test_config_name": None,
            "agents": "lab",
            "model_name": "PetClinic",
        },
        {**get(client, alice, f"/{waits}"), **nothing, "model_name": "PetClinic"},
        {**get(client, alice, f"/{elsewhere}"), **nothing},
    ]


def test_a_task_is_seen_by_its_group_and_without_runs_by_its_maker(
    client: TestClient,
    alice: Person,
    bob: Person,
    admin: Person,
    ci: Program,
    clinic: dict[str, Any],
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)["id"]
    alices, bobs = (post(client, person)["task_instance_id"] for person in (alice, bob))
    programs = post(client, ci)["task_instance_id"]
    everything = {started, alices, bobs, programs}
    for person, ids in ((alice, {started, alices}), (bob, {bobs}), (admin, everything)):
        for query in (
            "",
            "?sort=runstatus",
            "?limit_per_test_config=9",
            "_extended?limit_per_test_config=9",
        ):
            assert {task["task_instance_id"] for task in get(client, person, query)} == ids
        for task_id in everything:
            for part in ("", "/details", "/summary"):
                response = client.get(f"{TASKS}/{task_id}{part}", headers=person.bearer)
                assert response.status_code == (200 if task_id in ids else 404)
                if task_id not in ids:
                    assert response.json() == {"message": f"There is no test config task {task_id}."}
            response = client.put(
                f"{TASKS}/{task_id}", headers=person.bearer, json={"runstatus": "CANCELLED"}
            )
            assert response.status_code == (200 if task_id in ids else 404)


def test_a_program_does_not_own_what_a_user_of_the_same_number_wrote_down(
    client: TestClient, alice: Person, ci: Program
) -> None:
    assert alice.id == ci.id
    post(client, ci)
    assert get(client, alice) == []


def test_people_without_rights_and_agents_are_refused(
    client: TestClient, nobody: Person, lab: Program, database: Database
) -> None:
    for person in (nobody, lab):
        for method, path in (
            ("POST", TASKS),
            ("GET", TASKS),
            ("GET", f"{TASKS}_extended"),
            ("GET", f"{TASKS}/{UNKNOWN}"),
            ("PUT", f"{TASKS}/{UNKNOWN}"),
            ("GET", f"{TASKS}/{UNKNOWN}/details"),
            ("GET", f"{TASKS}/{UNKNOWN}/summary"),
        ):
            body = {"runstatus": "PASSED"} if method != "GET" else None
            response = client.request(method, path, headers=person.bearer, json=body)
            assert response.status_code == 403, (method, path)
    assert number_of_tasks(database) == 0


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
