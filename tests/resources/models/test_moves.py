"""A model that moves to another group takes its history with it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from opendai.database import Database
from tests.arranging.hand_walks import walk
from tests.arranging.models import create_model
from tests.arranging.run_counts import assert_counts_are_right
from tests.arranging.walking import ANY_AGENT, EXECUTIONS, HandAgent, start
from tests.conftest import Person, Program
from tests.inprocess import TestClient


@pytest.fixture
def model(client: TestClient, alice: Person, bob: Person, samples: dict[str, str]) -> Any:
    return create_model(client, alice, samples["petclinic"])


def _move(client: TestClient, admin: Person, model: Any, group: str) -> None:
    response = client.put(f"/ai/models/{model['id']}", headers=admin.bearer, json={"group": group})
    assert response.status_code == 200, response.text


def _seen(client: TestClient, person: Person, execution: str) -> tuple[int, ...]:
    addresses = ["/ai/runs/1", "/ai/runs/1/timings", "/ai/runlogs/1", f"{EXECUTIONS}/{execution}"]
    return tuple(client.get(address, headers=person.bearer).status_code for address in addresses)


def _totals(client: TestClient, person: Person) -> list[int]:
    return [
        client.get(address, headers=person.bearer).json()["total_count"]
        for address in ("/ai/runs", "/ai/runs?status=ERROR", "/ai/errors")
    ]


def test_only_the_new_group_sees_its_runs(
    client: TestClient,
    admin: Person,
    alice: Person,
    bob: Person,
    lab: Program,
    model: Any,
    database: Database,
) -> None:
    walked = walk(client, alice, HandAgent(client, lab), model_id=model["modeluuid"], status="ERROR")
    assert _seen(client, alice, walked["id"]) == (200, 200, 200, 200)
    assert _seen(client, bob, walked["id"]) == (404, 404, 404, 404)
    assert (_totals(client, alice), _totals(client, bob)) == ([1, 1, 1], [0, 0, 0])
    _move(client, admin, model, "bank")
    assert _seen(client, alice, walked["id"]) == (404, 404, 404, 404)
    assert _seen(client, bob, walked["id"]) == (200, 200, 200, 200)
    assert (_totals(client, alice), _totals(client, bob)) == ([0, 0, 0], [1, 1, 1])
    tasks = [client.get("/ai/testconfigtasks", headers=person.bearer).json() for person in (alice, bob)]
    assert [len(listed) for listed in tasks] == [0, 1]
    assert_counts_are_right(database)


def test_a_walk_goes_on_and_a_repetition_counts_for_the_new_group(
    client: TestClient,
    admin: Person,
    alice: Person,
    bob: Person,
    lab: Program,
    model: Any,
    database: Database,
) -> None:
    agent = HandAgent(client, lab)
    start(client, alice, model_id=model["modeluuid"], agent=ANY_AGENT)
    run = agent.take()["run_id"]
    _move(client, admin, model, "bank")
    assert agent.finish(run).status_code == 200
    start(client, bob, rerun_id=run, agent=ANY_AGENT)
    refused = client.post(EXECUTIONS, headers=alice.bearer, json={"rerun_id": run})
    assert refused.status_code == 422
    assert client.get("/ai/runs", headers=bob.bearer).json()["total_count"] == 2
    assert_counts_are_right(database)


@pytest.mark.slow
def test_runs_that_start_and_end_while_it_moves_are_counted_right(
    client: TestClient, admin: Person, alice: Person, lab: Program, model: Any, database: Database
) -> None:
    agent = HandAgent(client, lab)
    for _ in range(10):
        start(client, alice, model_id=model["modeluuid"], agent=ANY_AGENT)

    def begin_and_end(_number: int) -> None:
        body = {"model_id": model["modeluuid"], "agent": ANY_AGENT}
        assert client.post(EXECUTIONS, headers=admin.bearer, json=body).status_code == 201
        agent.finish(agent.take()["run_id"])

    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(begin_and_end, number) for number in range(20)]
        for group in ("bank", "shop") * 10:
            _move(client, admin, model, group)
        for piece in work:
            piece.result()
    assert client.get("/ai/runs", headers=admin.bearer).json()["total_count"] == 30
    assert_counts_are_right(database)
