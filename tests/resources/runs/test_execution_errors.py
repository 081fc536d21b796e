"""/ai/errors."""

from typing import Any

import pytest

from tests.arranging.hand_walks import walk
from tests.arranging.models import create_model
from tests.arranging.walking import HandAgent
from tests.conftest import Person, Program
from tests.inprocess import TestClient


@pytest.fixture
def tasks(client: TestClient, alice: Person, bob: Person, lab: Program, samples: dict[str, str]) -> list[str]:
    """Executions with errors: two of Alice's, and between them one of Bob's; and one of Alice's that passed."""
    agent = HandAgent(client, lab)
    shop = create_model(client, alice, samples["petclinic"])["modeluuid"]
    bank = create_model(client, bob, samples["petclinic"], group="bank")["modeluuid"]
    started = [
        walk(client, alice, agent, model_id=shop, status="ERROR"),
        walk(client, bob, agent, model_id=bank, status="ERROR"),
        walk(client, alice, agent, model_id=shop, status="PASSED"),
        walk(client, alice, agent, model_id=shop, status="ERROR"),
    ]
    return [each["id"] for each in started]


def get(client: TestClient, person: Person, query: str = "") -> Any:
    response = client.get(f"/ai/errors{query}", headers=person.bearer)
    assert response.status_code == 200, response.text
    return response.json()


def test_errors_are_listed_in_an_envelope(client: TestClient, alice: Person, tasks: list[str]) -> None:
    body = get(client, alice)
    first = body["items"][0]
    run = client.get("/ai/runs/1", headers=alice.bearer).json()
    assert first == {
        "id": 1,
        "created": first["created"],
        "task_instance_id": tasks[0],
        "sender": "opendai",
        "severity": "ERROR",
        "message": "Run 1: as told.",
        "error_time": run["endtime"],
    }
    assert [error["id"] for error in body["items"]] == [1, 3]
    assert body == {"items": body["items"], "total_count": 2, "date_as_of": body["date_as_of"]}


@pytest.mark.parametrize(
    ("query", "ids", "total"),
    [
        ("?id=3", [3], 1),
        ("?id=2", [], 0),
        ("?id=9", [], 0),
        ("?task_instance_id={0}", [1], 1),
        ("?task_instance_id={1}", [], 0),
        ("?task_instance_id={2}", [], 0),
        ("?task_instance_id=", [1, 3], 2),
        ("?id=1&task_instance_id={3}", [], 0),
        ("?limit=1", [1], 2),
        ("?offset=1", [3], 2),
        ("?offset=-18&limit=20", [1, 3], 2),
        ("?offset=2", [], 2),
    ],
)
def test_errors_can_be_filtered_and_paged(
    client: TestClient, alice: Person, tasks: list[str], query: str, ids: list[int], total: int
) -> None:
    body = get(client, alice, query.format(*tasks))
    assert ([error["id"] for error in body["items"]], body["total_count"]) == (ids, total)


def test_people_see_the_errors_of_their_own_groups(
    client: TestClient, bob: Person, admin: Person, nobody: Person, lab: Program, tasks: list[str]
) -> None:
    assert [error["task_instance_id"] for error in get(client, bob)["items"]] == [tasks[1]]
    assert get(client, admin)["total_count"] == 3
    for person in (nobody, lab):
        assert client.get("/ai/errors", headers=person.bearer).status_code == 403


def test_the_error_of_a_deleted_run_goes_with_it(client: TestClient, alice: Person, tasks: list[str]) -> None:
    client.delete("/ai/runs/1", headers=alice.bearer)
    assert [error["id"] for error in get(client, alice)["items"]] == [3]


@pytest.mark.parametrize(
    "query", ["id=x", "id=9223372036854775808", "limit=0", "limit=1001", "offset=1.5", "task_instance_id=%00"]
)
def test_an_invalid_query_is_refused(client: TestClient, alice: Person, query: str) -> None:
    response = client.get(f"/ai/errors?{query}", headers=alice.bearer)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == query.split("=", maxsplit=1)[0]
