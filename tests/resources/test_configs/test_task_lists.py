"""Lists of test config tasks, and which tasks a caller sees."""

from typing import Any

import pytest

from opendai.database import Database
from tests.arranging.hand_walks import walk
from tests.arranging.tasks import CONFIG, OTHER_CONFIG, TASKS, UNKNOWN, age, get, number_of_tasks, post
from tests.arranging.walking import ANY_AGENT, HandAgent, start
from tests.conftest import Person, Program
from tests.inprocess import TestClient


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
def test_an_invalid_query_is_refused(client: TestClient, alice: Person, query: str) -> None:
    for path in (TASKS, f"{TASKS}_extended"):
        response = client.get(f"{path}?{query}", headers=alice.bearer)
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


def test_the_extended_list_names_what_a_task_ran_on(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    one = walk(client, alice, agent, model_id=clinic["modeluuid"], sut={"criteria": ["android", "5g"]})["id"]
    waits = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)["id"]
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


def test_a_task_is_visible_to_its_group_and_without_runs_to_its_owner(
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


def test_a_program_does_not_own_the_tasks_of_a_user_with_the_same_id(
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
