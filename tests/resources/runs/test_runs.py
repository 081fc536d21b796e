"""/ai/runs, their timings and their logs."""

import threading
from typing import Any

import pytest

from opendai.database import Database
from opendai.worker.walks import walk_one
from tests.arranging.walking import ANY_AGENT, HandAgent, start, step, wait_for_end
from tests.conftest import Person, Program
from tests.inprocess import TestClient

FIELDS = [
    *("id", "hierarchyid", "modelname", "groupid", "teststatus", "starttime", "endtime", "seed", "coverage"),
    *("logfile", "usedtests", "events", "runtype", "testcase", "testconfigtask", "step", "failedaction"),
    *("scriptname", "suitename"),
]


@pytest.fixture
def three_runs(
    client: TestClient, database: Database, alice: Person, clinic: dict[str, Any], lab: Program
) -> list[str]:
    """A finished walk, a finished test case, and a walk that waits."""
    started = [
        start(client, alice, model_id=clinic["modeluuid"]),
        start(client, alice, model_id=clinic["modeluuid"], test_case_id=1),
        start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT),
    ]
    # The worker would do this within a quarter of a second.
    while walk_one(database, lease_seconds=30, stopping=threading.Event()):
        pass
    for execution in started[:2]:
        wait_for_end(client, alice, execution["id"])
    return [execution["id"] for execution in started]


def test_a_run_has_every_published_field(client: TestClient, alice: Person, three_runs: list[str]) -> None:
    run = client.get("/ai/runs/2", headers=alice.bearer).json()
    assert list(run) == FIELDS
    assert run["teststatus"] == "PASSED"
    assert run["usedtests"] == run["testcase"] == "Find an owner"
    assert run["testconfigtask"] == three_runs[1]
    assert run["scriptname"] is None


def test_runs_are_listed_ascending_in_an_envelope(
    client: TestClient, alice: Person, three_runs: list[str]
) -> None:
    body = client.get("/ai/runs", headers=alice.bearer).json()
    assert body.keys() == {"items", "total_count", "date_as_of"}
    assert [run["id"] for run in body["items"]] == [1, 2, 3]
    assert body["total_count"] == 3
    assert body["items"][1] == client.get("/ai/runs/2", headers=alice.bearer).json()


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("id=2", [2]),
        ("id=9", []),
        ("testcase=Find an owner", [2]),
        ("teststatus=PASSED", [1, 2]),
        ("teststatus=incomplete", [3]),
        ("teststatus=FAILED", []),
        ("modelname=PetClinic", [1, 2, 3]),
        ("modelname=petclinic%", []),
        ("step=1", []),
        ("modeluuid=unknown", []),
        ("sort=-id", [3, 2, 1]),
        ("sort=+id&limit=1", [1]),
        ("sort=-testcase&limit=1&teststatus=PASSED&testcase=Find an owner", [2]),
        ("offset=1&limit=1", [2]),
        ("offset=-17&limit=2", [1, 2]),
        ("offset=50", []),
    ],
)
def test_runs_can_be_filtered_sorted_and_paged(
    client: TestClient, alice: Person, three_runs: list[str], query: str, ids: list[int]
) -> None:
    body = client.get(f"/ai/runs?{query}", headers=alice.bearer).json()
    assert [run["id"] for run in body["items"]] == ids
    if "offset" not in query and "limit" not in query:
        assert body["total_count"] == len(ids)


def test_runs_are_found_by_their_execution_and_their_model(
    client: TestClient, alice: Person, clinic: dict[str, Any], three_runs: list[str]
) -> None:
    by_task = client.get(f"/ai/runs?task_instance_id={three_runs[1]}", headers=alice.bearer).json()
    assert [run["id"] for run in by_task["items"]] == [2]
    by_model = client.get(f"/ai/runs?modeluuid={clinic['modeluuid']}", headers=alice.bearer).json()
    assert by_model["total_count"] == 3


@pytest.mark.parametrize(
    "query",
    [
        "id=x",
        "id=9999999999999999999",
        "sort=reason",
        "limit=0",
        "limit=1001",
        "limit=-1",
        "offset=1e3",
        "step=99999999999999999999",
        "testcase=%00",
    ],
)
def test_an_invalid_query_is_refused(client: TestClient, alice: Person, query: str) -> None:
    response = client.get(f"/ai/runs?{query}", headers=alice.bearer)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


def test_bob_sees_none_of_alices_runs(
    client: TestClient, bob: Person, admin: Person, three_runs: list[str]
) -> None:
    body = client.get("/ai/runs", headers=bob.bearer).json()
    assert (body["items"], body["total_count"]) == ([], 0)
    for path in ("/ai/runs/1", "/ai/runs/1/timings", "/ai/runs/1/screenshots", "/ai/runlogs/1"):
        response = client.get(path, headers=bob.bearer)
        assert response.status_code == 404, path
        assert response.json() == {"message": "There is no run 1."}
    assert client.post("/ai/runlogs/1", headers=bob.bearer, json={"message": "x"}).status_code == 404
    assert client.get("/ai/runs", headers=admin.bearer).json()["total_count"] == 3


def test_a_run_that_waits_has_no_timings_yet(
    client: TestClient, alice: Person, three_runs: list[str]
) -> None:
    assert client.get("/ai/runs/3/timings", headers=alice.bearer).json() == []
    assert client.get("/ai/runs/9/timings", headers=alice.bearer).status_code == 404


def test_people_add_lines_to_the_log(client: TestClient, alice: Person, three_runs: list[str]) -> None:
    before = client.get("/ai/runlogs/3", headers=alice.bearer).json()
    assert before["items"] == []
    response = client.post(
        "/ai/runlogs/3",
        headers=alice.bearer,
        json={"message": "Looks odd", "eventtime": "2026-11-22T09:30:00Z", "stage": "walk", "unknown": 1},
    )
    assert response.status_code == 200
    line = response.json()
    assert line == {
        "id": line["id"],
        "eventtime": "2026-11-22T09:30:00+00:00",
        "testrunid": 3,
        "message": "Looks odd",
        "severity": "INFORMATIONAL",
        "step_id": None,
        "stage": "walk",
        "message_type": None,
        "image_name": None,
        "image_id": None,
    }
    after = client.get("/ai/runlogs/3", headers=alice.bearer).json()
    assert (after["items"], after["total_count"]) == ([line], 1)


@pytest.mark.parametrize(
    "body", [{}, {"message": None}, {"message": "x", "eventtime": "soon"}, {"message": "a\0b"}]
)
def test_an_invalid_line_is_refused(
    client: TestClient, alice: Person, three_runs: list[str], body: dict[str, Any]
) -> None:
    assert client.post("/ai/runlogs/3", headers=alice.bearer, json=body).status_code == 400
    assert client.get("/ai/runlogs/3", headers=alice.bearer).json()["total_count"] == 0


def test_an_agents_client_adds_lines_only_to_the_run_that_it_walks(
    client: TestClient, lab: Program, three_runs: list[str]
) -> None:
    agent = HandAgent(client, lab)
    agent.take()
    agent.report(3, [step(1)])
    for run, status in ((3, 200), (1, 404)):
        response = client.post(f"/ai/runlogs/{run}", headers=lab.bearer, json={"message": "x"})
        assert response.status_code == status
