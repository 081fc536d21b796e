"""Real clients differ from the published page in these ways. docs/compatibility.md lists them."""

from typing import Any

import pytest

from tests.contract.habits import HABITS
from tests.contract.world import World, made


def test_every_habit_has_a_test() -> None:
    assert HABITS.keys() <= globals().keys()


@pytest.mark.parametrize("word", ["bearer", "Bearer", "BEARER"])
def test_the_word_bearer_may_have_any_case(world: World, word: str) -> None:
    token = world.alice.bearer["Authorization"].split()[1]
    response = world.caller("stranger").get("/ai/models", headers={"Authorization": f"{word} {token}"})
    assert response.status_code == 200


def test_deleting_is_answered_with_json(world: World) -> None:
    response = world.alice.delete(f"/ai/models/{world.model['id']}")
    assert (response.status_code, response.json()) == (200, {})


@pytest.mark.parametrize("medium", ["json", "data"])
def test_an_agent_needs_only_a_name(world: World, medium: str) -> None:
    body = {"id": 99, "name": "lab-3", "epptestcontrollerport": 0}
    agent = made(world.admin.post("/ai/agents", **{medium: body}))
    assert agent["id"] == 1
    assert agent["agenttype"] == "DESIGN"
    assert (agent["epptestcontrollerport"], agent["eppanalyzerport"]) == (0, 123)


def test_a_test_case_may_be_spelt_as_the_vendors_client_does(world: World) -> None:
    body = {
        "testcaseName": "Fill the basket",
        "testcase": 'State "Basket"',
        "description": "Reach the basket",
        "tags": "smoke,basket",
        "origin": "user",
    }
    case = made(world.alice.post(f"/ai/models/{world.model['id']}/testcases", json=body))
    assert case["testcaseDescription"] == "Reach the basket"
    assert case["testcaseTags"] == "smoke,basket"
    assert case["testcaseOrigin"] == "user"


def test_a_tag_needs_only_its_text(world: World) -> None:
    tag = made(world.alice.post(f"/ai/models/{world.model['id']}/tags", json={"tag": "smoke"}))
    assert (tag["tag"], tag["author"], tag["model"]) == ("smoke", "alice", "Shop")


def test_a_license_may_spell_its_number_otherwise(world: World) -> None:
    created = made(world.admin.post("/ai/licenses", json={"license": "{}", "serialNumber": 4711}))
    assert created["serialnumber"] == 4711
    assert created["eula_accepted"] is True


def test_a_user_may_have_a_license_of_null(world: World) -> None:
    body = {"username": "dora", "password": "a long enough password", "license": None}
    assert made(world.admin.post("/ai/users", json=body))["role"] == "User"


def test_runs_are_listed_by_id_from_the_first_when_the_offset_is_negative(world: World) -> None:
    runs = [world.run_id, world.failed_run_id]
    page = made(world.alice.get("/ai/runs", params={"offset": 2 - 20, "limit": 20}))
    assert [run["id"] for run in page["items"]] == runs
    assert page["total_count"] == 2


def test_runs_are_filtered_by_the_uuid_of_a_model(world: World) -> None:
    query = {"modeluuid": world.model["modeluuid"]}
    assert world.run_id
    assert made(world.alice.get("/ai/runs", params=query))["total_count"] == 1
    query = {"modeluuid": "f3b9d6f0-0000-4000-8000-000000000000"}
    assert made(world.alice.get("/ai/runs", params=query))["total_count"] == 0


@pytest.mark.parametrize("sign", ["+", "%2B", ""])
def test_a_plus_sign_sorts_upwards(world: World, sign: str) -> None:
    runs = [world.run_id, world.failed_run_id]
    page = made(world.alice.get(f"/ai/runs?sort={sign}id"))
    assert [run["id"] for run in page["items"]] == runs
    page = made(world.alice.get("/ai/runs?sort=-id"))
    assert [run["id"] for run in page["items"]] == runs[::-1]


def test_a_line_of_log_needs_only_a_message(world: World) -> None:
    line: Any = made(world.alice.post(f"/ai/runlogs/{world.run_id}", json={"message": "Hello"}))
    assert (line["message"], line["severity"]) == ("Hello", "INFORMATIONAL")


def test_unknown_fields_are_ignored(world: World) -> None:
    body = {"name": "Till", "group": "shop", "color": "blue", "nested": {"a": [1]}}
    assert made(world.alice.post("/ai/models", json=body))["name"] == "Till"
