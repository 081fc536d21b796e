"""…/generations/{gid}/accept: proposals that are chosen become test cases of the model, once."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import insert, select

from opendai import tables
from opendai.database import Database
from tests.arranging.editing import CASES, create_case, list_cases
from tests.arranging.models import create_model
from tests.conftest import Person
from tests.inprocess import TestClient
from tests.resources.ai_servers.asking import SERVERS, create, link, wrong
from tests.resources.ai_servers.drafting import CASE, OTHER_CASE, accept, look

TEXT = 'Action "e_FindOwners", State "FindOwners", Action "e_Search"'
DESCRIPTION = (
    "By the last name.\n\n"
    "Prerequisites: There are owners.\n\n"
    '1. Take "e_FindOwners"\n   Expected: The state is "FindOwners"\n'
    "2. Type a last name\n"
    "3. e_Search\n   Expected: Owners are listed"
)
FIRST = {
    "id": 1,
    "testcase_id": 3,
    "testcase_name": "Find an owner (2)",
    "testcase": TEXT,
    "not_translated": [{"index": 2, "action": "Type a last name"}],
}


@pytest.fixture(autouse=True)
def model(client: TestClient, admin: Person, alice: Person, samples: dict[str, str]) -> dict[str, Any]:
    """Alice's PetClinic, which has a test case "Find an owner"; and an AI server."""
    create(client, admin)
    return create_model(client, alice, samples["petclinic"])


@pytest.fixture
def generation(database: Database, model: dict[str, Any]) -> int:
    return store(database, CASE, OTHER_CASE, model_id=1)


def store(database: Database, *cases: dict[str, Any], **columns: Any) -> int:
    """A generation that has ended with these proposals."""
    proposals = [{"id": number, **case} for number, case in enumerate(cases, 1)]
    values = {
        "server_id": 1,
        "started_by": "alice",
        "requirement": "x",
        "status": "FINISHED",
        "proposals": json.dumps(proposals),
        **columns,
    }
    with database.writing() as session:
        added = insert(tables.Generation).values(**values).returning(tables.Generation.id)
        return session.scalars(added).one()


def test_a_proposal_becomes_a_test_case(client: TestClient, alice: Person, generation: int) -> None:
    response = accept(client, alice, 1)
    assert (response.status_code, response.json()) == (
        200,
        {"accepted": [FIRST], "_links": link("/1/generations/1/accept")},
    )
    case = client.get(f"{CASES}/3", headers=alice.bearer).json()
    expected = {
        "testcaseName": "Find an owner (2)",
        "testcase": TEXT,
        "testcaseTags": "drafted-by-ai",
        "testcaseDescription": DESCRIPTION,
        "testcaseOrigin": "AI",
    }
    assert {key: case[key] for key in expected} == expected
    document = json.loads(client.get("/ai/models/1", headers=alice.bearer).json()["modeljson"])
    assert {key: document["testcases"][2][key] for key in expected} == expected
    assert [proposal["testcase_id"] for proposal in look(client, alice)["proposals"]] == [3, None]


def test_it_can_be_walked(client: TestClient, alice: Person, generation: int, model: dict[str, Any]) -> None:
    accept(client, alice, 1)
    started = client.post(
        "/execution_service/api/v1/executions",
        headers=alice.bearer,
        json={"model_id": model["modeluuid"], "test_case_id": 3},
    )
    assert started.status_code == 201


def test_nothing_is_stored_that_was_not_chosen(client: TestClient, alice: Person, generation: int) -> None:
    assert len(list_cases(client, alice)) == 2
    accept(client, alice, 2)
    assert [case["testcaseName"] for case in list_cases(client, alice)][2:] == ["Home"]


def test_accepting_twice_changes_nothing(
    client: TestClient, alice: Person, generation: int, database: Database
) -> None:
    first = accept(client, alice, 1)
    cases = list_cases(client, alice)
    assert accept(client, alice, 1, 1).json() == first.json()
    assert list_cases(client, alice) == cases
    both = accept(client, alice, 2, 1).json()["accepted"]
    assert [found["id"] for found in both] == [2, 1]
    assert both[1] == FIRST
    assert len(list_cases(client, alice)) == 4


def test_what_was_deleted_since_does_not_come_back(
    client: TestClient, alice: Person, generation: int
) -> None:
    first = accept(client, alice, 1)
    assert client.delete(f"{CASES}/3", headers=alice.bearer).status_code == 200
    assert accept(client, alice, 1).json() == first.json()
    assert len(list_cases(client, alice)) == 2


@pytest.mark.slow
def test_many_who_accept_at_once_store_it_once(client: TestClient, alice: Person, generation: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: accept(client, alice, 1, 2), range(8)))
    assert [response.status_code for response in responses] == [200] * 8
    assert len({response.text for response in responses}) == 1
    assert len(list_cases(client, alice)) == 4


def test_names_that_cannot_be_are_changed_and_taken_ones_are_counted(
    client: TestClient, alice: Person, database: Database
) -> None:
    create_case(client, alice, testcaseName="Pay")
    create_case(client, alice, testcaseName="Pay (2)")
    long = "x" * 255
    names = ["Pay", "Pay", ' Log in: "quickly";\n{now} ', ':";', long, long]
    store(database, *({**OTHER_CASE, "name": name} for name in names), model_id=1)
    accepted = accept(client, alice, *range(1, 7)).json()["accepted"]
    assert [found["testcase_name"] for found in accepted] == [
        "Pay (3)",
        "Pay (4)",
        "Log in quickly now",
        "Test case",
        long,
        f"{long[:-4]} (2)",
    ]


@pytest.mark.parametrize("by_number", [False, True])
def test_without_a_model_at_the_start_it_is_named_now(
    client: TestClient, alice: Person, bob: Person, database: Database, model: dict[str, Any], by_number: bool
) -> None:
    store(database, CASE, owner_id=alice.id)
    missing = accept(client, alice, 1)
    assert missing.status_code == 412
    assert wrong("model_id", missing.json())["errorMessage"].startswith("is missing")
    assert look(client, alice)["model_id"] is None
    accepted = accept(client, alice, 1, model_id=1 if by_number else model["modeluuid"])
    assert accepted.json()["accepted"] == [FIRST]
    assert look(client, alice)["model_id"] == model["modeluuid"]
    assert accept(client, alice, 1).json() == accepted.json()


def test_another_model_is_not_the_generations(
    client: TestClient, alice: Person, bob: Person, generation: int, samples: dict[str, str]
) -> None:
    create_model(client, alice, samples["webstore"], name="Store")
    create_model(client, bob, samples["webstore"], name="Bank", group="bank")
    for number, problem in ((2, "is not the model of the generation"), (3, "is neither the modeluuid")):
        response = accept(client, alice, 1, model_id=number)
        assert response.status_code == 412
        assert problem in wrong("model_id", response.json())["errorMessage"]
    assert len(list_cases(client, alice)) == 2


@pytest.mark.parametrize(
    "chosen", [[], None, [3], [0], [-1], [1, 3], ["a"], [1.5], [101], [10**30], 1, [None], [[1]]]
)
def test_a_choice_that_cannot_be_stores_nothing(
    client: TestClient, alice: Person, generation: int, chosen: Any
) -> None:
    response = client.post(
        f"{SERVERS}/1/generations/1/accept", headers=alice.bearer, json={"proposals": chosen}
    )
    assert response.status_code == 412
    assert response.json()["fieldValidationErrors"][0]["fieldName"].startswith("proposals")
    assert len(list_cases(client, alice)) == 2
    assert look(client, alice)["proposals"][0]["testcase_id"] is None


@pytest.mark.parametrize("status", ["QUEUED", "RUNNING", "FAILED", "CANCELLED"])
def test_only_what_has_finished_has_proposals(
    client: TestClient, alice: Person, database: Database, status: str
) -> None:
    # By a clock that is far ahead, so that the worker leaves it alone.
    store(database, model_id=1, status=status, proposals=None, claimable_from=1e12)
    response = accept(client, alice, 1)
    message = f"The generation 1 has no proposals: it is {status}."
    assert (response.status_code, response.json()) == (
        412,
        {
            "actionValidationError": {"exception": "PreconditionFailed", "message": message},
            "message": message,
        },
    )


def test_one_that_fails_keeps_the_others_from_being_stored(
    client: TestClient, alice: Person, database: Database
) -> None:
    # Together the steps name more than a test case's text can hold.
    sentence = " ".join(["`e_FindOwners`"] * 250)
    steps = [{"index": number, "action": sentence, "expectedResult": ""} for number in range(1, 14)]
    store(database, OTHER_CASE, {**OTHER_CASE, "testSteps": steps}, model_id=1)
    response = accept(client, alice, 1, 2)
    assert response.status_code == 412
    assert response.json()["message"] == "The proposal 2 names more than a test case can hold."
    assert len(list_cases(client, alice)) == 2
    with database.reading() as session:
        assert "accepted" not in (session.scalar(select(tables.Generation.proposals)) or "")
