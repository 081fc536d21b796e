"""Kept totals of runs, and pages that are read from either end."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest
from sqlalchemy import delete, select

from opendai import tables
from opendai.database import Database
from opendai.resources.runs import pages as run_pages
from tests.arranging.hand_walks import walk
from tests.arranging.models import create_model
from tests.arranging.run_counts import KIND, assert_counts_are_right, recounted
from tests.arranging.walking import ANY_AGENT, EXECUTIONS, HandAgent, start, step
from tests.conftest import MakeProgram, Person, Program
from tests.inprocess import TestClient

STATUSES = ["PASSED", "FAILED", "ERROR", "CANCELLED"]


@pytest.fixture
def models(client: TestClient, alice: Person, bob: Person, samples: dict[str, str]) -> dict[str, Any]:
    """Two models of Alice's and one of Bob's. Alice has a model of the same name as Bob's."""
    text = samples["petclinic"]
    return {
        "shop": create_model(client, alice, text)["modeluuid"],
        "home": create_model(client, alice, text, name="Home", group="alice")["modeluuid"],
        "bank": create_model(client, bob, text, group="bank")["modeluuid"],
    }


@pytest.fixture
def history(
    client: TestClient,
    make_program: MakeProgram,
    alice: Person,
    bob: Person,
    lab: Program,
    models: dict[str, Any],
    database: Database,
) -> None:
    """Forty runs of all models and statuses, some of a test case, some a step, some waiting and some walked."""
    agent, idle = HandAgent(client, lab), HandAgent(client, make_program("idle", "agent"))
    cases = {"shop": 1, "home": 3, "bank": 5}
    for number in range(40):
        name = ("shop", "home", "shop", "bank")[number % 4]
        fields: dict[str, Any] = {"model_id": models[name]}
        if number % 3:
            fields["test_case_id"] = cases[name]
        person = bob if name == "bank" else alice
        if number % 5 < 4:
            walk(client, person, agent, status=STATUSES[number % 5], events=[], **fields)
        else:
            start(client, person, agent={"agent_id": str(idle.id)}, **fields)
    for _ in range(3):
        idle.take()
    with database.writing() as session:
        for run in session.scalars(select(tables.Run)):
            run.config_step = run.id % 3 if run.id % 2 else None
            run.lease_ends = 1e12
        session.execute(delete(tables.RunCount))
        session.flush()
        for kind, runs in recounted(session).items():
            session.add(tables.RunCount(**dict(zip(KIND, kind, strict=True)), runs=runs))


def test_counts_follow_runs_from_start_to_deletion(
    client: TestClient,
    alice: Person,
    admin: Person,
    lab: Program,
    models: dict[str, Any],
    database: Database,
) -> None:
    agent = HandAgent(client, lab)
    aborted = start(client, alice, model_id=models["shop"], agent=ANY_AGENT)
    client.delete(f"{EXECUTIONS}/{aborted['id']}", headers=alice.bearer)
    assert_counts_are_right(database)
    for status in STATUSES:
        walk(client, alice, agent, model_id=models["home"], test_case_id=3, status=status)
        assert_counts_are_right(database)
    start(client, alice, rerun_id=2, agent={"agent_id": str(agent.id)})
    agent.take()
    assert_counts_are_right(database)
    client.delete(f"/ai/agents/{agent.id}", headers=admin.bearer)
    assert client.get("/ai/runs/6", headers=alice.bearer).json()["teststatus"] == "ERROR"
    assert_counts_are_right(database)
    start(client, alice, model_id=models["shop"], agent=ANY_AGENT)
    for run in (7, 3):
        client.delete(f"/ai/runs/{run}", headers=alice.bearer)
        assert_counts_are_right(database)
    client.delete("/ai/models/2", headers=alice.bearer)
    assert_counts_are_right(database)
    assert client.get("/ai/runs", headers=alice.bearer).json()["total_count"] == 1


@pytest.mark.slow
def test_counts_are_right_after_parallel_changes(
    client: TestClient, make_program: MakeProgram, alice: Person, models: dict[str, Any], database: Database
) -> None:
    agents = [HandAgent(client, make_program(f"lab {number}", "agent")) for number in range(6)]

    def work(agent: HandAgent) -> None:
        for status in STATUSES:
            fields = {"model_id": models["shop"], "test_case_id": 1, "agent": {"agent_id": str(agent.id)}}
            run = start(client, alice, **fields)["run_id"]
            assert agent.take()["run_id"] == run
            assert agent.report(run, [step(1)]).status_code == 200
            assert agent.finish(run, last=1, status=status).status_code == 200
            if status in {"FAILED", "ERROR"}:
                assert client.delete(f"/ai/runs/{run}", headers=alice.bearer).status_code == 200

    with ThreadPoolExecutor(len(agents)) as threads:
        list(threads.map(work, agents))
    assert_counts_are_right(database)
    assert client.get("/ai/runs", headers=alice.bearer).json()["total_count"] == 12
    coverage = client.get("/ai/models/1/coverage", headers=alice.bearer).json()
    assert (coverage["testCount"], coverage["passCount"], coverage["failCount"]) == ("12", "6", "0")
    assert coverage["report"][0]["items"][0]["hitCount"] == "12"
    case = client.get("/ai/testcases", headers=alice.bearer).json()[0]
    assert (case["tests"], case["fails"]) == ("12", "0")


@pytest.mark.slow
@pytest.mark.parametrize("most_branches", [100, 1])
def test_every_page_is_the_slice_of_the_whole_list(
    client: TestClient,
    alice: Person,
    bob: Person,
    admin: Person,
    history: None,
    models: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    most_branches: int,
) -> None:
    monkeypatch.setattr(run_pages, "_MOST_BRANCHES", most_branches)
    whole = client.get("/ai/runs", headers=admin.bearer).json()["items"]
    groups = {"alice": {run["groupid"] for run in whole if run["id"] % 4 != 0}}
    groups |= {"bob": {run["groupid"] for run in whole if run["id"] % 4 == 0}}
    model_of = {run["id"]: ("shop", "home", "shop", "bank")[(run["id"] - 1) % 4] for run in whole}
    asked = {
        "": lambda _: True,
        "teststatus=PASSED": lambda run: run["teststatus"] == "PASSED",
        "teststatus=incomplete": lambda run: run["teststatus"] == "INCOMPLETE",
        "teststatus=RUNNING": lambda _: False,
        "testcase=Find an owner": lambda run: run["testcase"] == "Find an owner",
        "testcase=": lambda _: True,
        "modelname=PetClinic": lambda run: run["modelname"] == "PetClinic",
        "step=2": lambda run: run["step"] == 2,
        "id=7": lambda run: run["id"] == 7,
        f"modeluuid={models['home']}": lambda run: model_of[run["id"]] == "home",
        f"modeluuid={models['shop'].upper()}&teststatus=FAILED&step=1": lambda run: (
            model_of[run["id"]] == "shop" and run["teststatus"] == "FAILED" and run["step"] == 1
        ),
    }
    assert len(whole) == 40
    assert all(any(map(matches, whole)) for query, matches in asked.items() if "RUNNING" not in query)
    for (query, matches), person in product(asked.items(), (alice, bob, admin)):
        seen = [run for run in whole if person is admin or run["groupid"] in groups[person.name]]
        expected = [run for run in seen if matches(run)]
        for sort, offset in product(
            ("", "-id", "+id", " id"), (0, 1, 3, len(expected) // 2, len(expected) - 2)
        ):
            ordered = expected[::-1] if sort == "-id" else expected
            first = max(offset, 0)
            asked_for: list[tuple[str, str | int | float | bool | None]] = [
                *_pairs(query),
                ("sort", sort),
                ("offset", str(offset)),
                ("limit", "4"),
            ]
            body = client.get("/ai/runs", headers=person.bearer, params=asked_for).json()
            assert body["items"] == ordered[first : first + 4], (query, person.name, sort, offset)
            assert body["total_count"] == len(expected), (query, person.name)


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (part.partition("=") for part in query.split("&")) if name]


def test_both_databases_sort_missing_values_alike(client: TestClient, admin: Person, history: None) -> None:
    whole = client.get("/ai/runs", headers=admin.bearer).json()["items"]
    keys = {
        "endtime": lambda run: run["endtime"] or "9",
        "testcase": lambda run: run["testcase"] or "",
        "step": lambda run: -1 if run["step"] is None else run["step"],
        "teststatus": lambda run: run["teststatus"],
        "starttime": lambda run: run["starttime"],
    }
    for column, key in keys.items():
        expected = sorted(whole, key=lambda run: (key(run), run["id"]))
        for sort, ordered in ((column, expected), (f"-{column}", expected[::-1])):
            for offset in (0, 33):
                page = f"/ai/runs?sort={sort}&offset={offset}&limit=9"
                body = client.get(page, headers=admin.bearer).json()
                assert body["items"] == ordered[offset : offset + 9], page
