"""/ai/models/{model_id}/runs, /defects, /testcasesummary and /testcaseruns."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opendai import tables
from opendai.database import Database
from tests.arranging.hand_walks import walk
from tests.arranging.walking import ANY_AGENT, HandAgent, start
from tests.conftest import Person, Program
from tests.inprocess import TestClient

PATHS = ["runs", "defects", "testcasesummary", "testcaseruns"]
NONE_YET = {"passcount": 0, "failcount": 0, "cancelcount": 0, "errorcount": 0, "incompletecount": 0}


@pytest.fixture
def history(
    client: TestClient, alice: Person, clinic: dict[str, Any], lab: Program, database: Database
) -> None:
    """Runs 1 to 6, a day apart from the first of May on: four of a test case, one without, and one that is queued."""
    agent, model = HandAgent(client, lab), clinic["modeluuid"]
    for status in ("PASSED", "FAILED", "ERROR", "CANCELLED"):
        walk(client, alice, agent, model_id=model, test_case_id=1, status=status)
    walk(client, alice, agent, model_id=model, status="FAILED")
    start(client, alice, model_id=model, test_case_id=1, agent=ANY_AGENT)
    with database.writing() as session:
        for run in session.query(tables.Run):
            run.occurred_at = datetime(2026, 5, 1, 12, tzinfo=UTC) + timedelta(days=run.id - 1)


def get(client: TestClient, person: Person, path: str) -> Any:
    response = client.get(f"/ai/models/1/{path}", headers=person.bearer)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [6, 5, 4, 3, 2, 1]),
        ("?starttime=2026-05-03T12:00:00Z", [6, 5, 4]),
        ("?endtime=2026-05-03T12:00:00Z", [2, 1]),
        ("?starttime=2026-05-01T12:00:00&endtime=2026-05-04T12:00:00", [3, 2]),
        ("?starttime=2026-05-05T13:30:00+02:00", [6, 5]),
        ("?starttime=2027-01-01T00:00:00Z", []),
        ("?limit=2", [6, 5]),
        ("?offset=4", [2, 1]),
        ("?offset=-3&limit=1", [6]),
    ],
)
def test_a_models_runs_are_a_bare_list_newest_first(
    client: TestClient, alice: Person, history: None, query: str, ids: list[int]
) -> None:
    runs = get(client, alice, f"runs{query}")
    assert [run["id"] for run in runs] == ids
    for run in runs:
        assert run == client.get(f"/ai/runs/{run['id']}", headers=alice.bearer).json()


def test_defects_are_the_failed_runs(client: TestClient, alice: Person, history: None) -> None:
    defects = get(client, alice, "defects")
    assert [(run["id"], run["teststatus"]) for run in defects] == [(5, "FAILED"), (2, "FAILED")]
    assert defects[0] == client.get("/ai/runs/5", headers=alice.bearer).json()
    assert [run["id"] for run in get(client, alice, "defects?offset=1&limit=5")] == [2]


def test_the_summary_counts_each_status_of_each_test_case(
    client: TestClient, alice: Person, history: None
) -> None:
    assert get(client, alice, "testcasesummary") == {
        "items": [
            {
                "testcase": "Find an owner",
                "passcount": 1,
                "failcount": 1,
                "cancelcount": 1,
                "errorcount": 1,
                "incompletecount": 1,
            },
            {"testcase": "See the veterinarians", **NONE_YET},
        ]
    }


def test_the_summary_of_a_time_counts_the_runs_of_that_time(
    client: TestClient, alice: Person, history: None
) -> None:
    everything = get(client, alice, "testcasesummary")
    assert get(client, alice, "testcasesummary?starttime=2026-01-01T00:00:00Z") == everything
    some = get(client, alice, "testcasesummary?starttime=2026-05-02T00:00:00Z&endtime=2026-05-03T00:00:00Z")
    assert some["items"][0] == {"testcase": "Find an owner", **NONE_YET, "failcount": 1}


def test_the_summary_keeps_the_runs_of_a_removed_test_case(
    client: TestClient, alice: Person, history: None, clinic: dict[str, Any], samples: dict[str, str]
) -> None:
    text = samples["petclinic"].replace("Find an owner", "Find somebody")
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": text})
    items = get(client, alice, "testcasesummary")["items"]
    assert [(item["testcase"], item["passcount"]) for item in items] == [
        ("Find an owner", 1),
        ("Find somebody", 0),
        ("See the veterinarians", 0),
    ]


def test_test_cases_are_listed_with_their_newest_runs(
    client: TestClient, alice: Person, history: None
) -> None:
    body = get(client, alice, "testcaseruns")
    runs = [client.get(f"/ai/runs/{run}", headers=alice.bearer).json() for run in (6, 4, 3, 2, 1)]
    assert body == {
        "bob": "2",
        "items": [
            {"id": 1, "testcase": "Find an owner", "runs": runs},
            {"id": 2, "testcase": "See the veterinarians", "runs": []},
        ],
        "total_count": 2,
        "date_as_of": body["date_as_of"],
    }
    second = get(client, alice, "testcaseruns?offset=1&limit=1")
    assert ([item["id"] for item in second["items"]], second["total_count"]) == ([2], 2)
    assert get(client, alice, "testcaseruns?offset=2")["items"] == []


def test_no_more_than_ten_runs_of_a_test_case_are_listed(
    client: TestClient, alice: Person, clinic: dict[str, Any]
) -> None:
    for _ in range(12):
        start(client, alice, model_id=clinic["modeluuid"], test_case_id=2, agent=ANY_AGENT)
    items = get(client, alice, "testcaseruns")["items"]
    assert [run["id"] for run in items[1]["runs"]] == list(range(12, 2, -1))


@pytest.mark.parametrize("path", PATHS)
def test_a_model_without_runs_has_empty_reports(
    client: TestClient, alice: Person, samples: dict[str, str], path: str
) -> None:
    created = client.post("/ai/models", headers=alice.bearer, json={"name": "Blank", "group": "shop"}).json()
    response = client.get(f"/ai/models/{created['id']}/{path}", headers=alice.bearer)
    assert response.status_code == 200
    body = response.json()
    assert (body if isinstance(body, list) else body["items"]) == []


@pytest.mark.parametrize("path", PATHS)
def test_the_runs_of_a_foreign_or_unknown_model_are_404(
    client: TestClient,
    alice: Person,
    bob: Person,
    nobody: Person,
    lab: Program,
    clinic: dict[str, Any],
    path: str,
) -> None:
    for person, model in ((bob, 1), (alice, 9)):
        response = client.get(f"/ai/models/{model}/{path}", headers=person.bearer)
        assert response.status_code == 404
        assert response.json() == {"message": f"There is no model {model}."}
    for person in (nobody, lab):
        assert client.get(f"/ai/models/1/{path}", headers=person.bearer).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "runs?starttime=soon",
        "runs?endtime=1969-12-31T00:00:00Z",
        "runs?limit=0",
        "defects?limit=1001",
        "defects?offset=x",
        "testcasesummary?starttime=%00",
        "testcasesummary?endtime=9999-01-01T00:00:00Z",
        "testcaseruns?limit=101",
    ],
)
def test_a_query_with_a_bad_value_is_refused(
    client: TestClient, alice: Person, clinic: dict[str, Any], query: str
) -> None:
    response = client.get(f"/ai/models/1/{query}", headers=alice.bearer)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == query.split("?")[1].split("=", maxsplit=1)[0]
