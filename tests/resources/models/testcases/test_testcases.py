"""/ai/models/{model_id}/testcases: rows and document in step."""

import json
from typing import Any

import pytest

from opendai.database import Database
from tests.arranging.editing import (
    CASES,
    NEW,
    TEXT,
    change_case,
    create_case,
    list_cases,
    list_versions,
    model_text,
)
from tests.arranging.models import create_model
from tests.conftest import Person, Program
from tests.inprocess import TestClient


@pytest.fixture(autouse=True)
def model(client: TestClient, alice: Person, samples: dict[str, str]) -> Any:
    return create_model(client, alice, samples["petclinic"])


def test_a_test_case_is_created_in_the_published_spelling(
    client: TestClient, alice: Person, model: Any, database: Database
) -> None:
    body = {
        **NEW,
        "id": 99,
        "tests": "7",
        "testcaseTags": "smoke,owners",
        "testcaseDescription": "Walk\nabout",
        "testcaseOrigin": "RCI",
        "testcaseExternalID": "PET-9",
        "modelId": "other",
    }
    response = client.post(CASES, headers=alice.bearer, json=body)
    case = {
        "testcaseName": "Look around",
        "testcase": TEXT,
        "id": 3,
        "tests": "0",
        "fails": "0",
        "testcaseTags": "smoke,owners",
        "testcaseDescription": "Walk\nabout",
        "testcaseOrigin": "RCI",
        "testcaseExternalID": "PET-9",
        "testIds": "",
        "modelId": model["modeluuid"],
        "modelName": "PetClinic",
    }
    assert (response.status_code, response.json()) == (200, case)
    assert client.get(f"{CASES}/3", headers=alice.bearer).json() == case
    assert list_cases(client, alice)[2] == case
    assert client.get("/ai/testcases", headers=alice.bearer).json()[2] == case
    assert json.loads(model_text(client, alice))["testcases"][2] == {
        "testcaseName": "Look around",
        "testcaseTags": "smoke,owners",
        "testcaseDescription": "Walk\nabout",
        "testcaseOrigin": "RCI",
        "testcaseExternalID": "PET-9",
        "testcase": TEXT,
        "tests": "",
        "fails": "",
        "testIds": "",
        "id": 3,
    }
    assert list_versions(database) == [(1, 1)]


@pytest.mark.parametrize("tags", ["smoke,owners", ["smoke", "owners"]])
def test_a_test_case_is_created_and_changed_in_the_vendors_spelling(
    client: TestClient, alice: Person, tags: object
) -> None:
    case = create_case(client, alice, tags=tags, description="d", origin="o")
    assert case["testcaseTags"] == "smoke,owners"
    assert case["testcaseDescription"] == "d"
    assert case["testcaseOrigin"] == "o"
    changed = change_case(client, alice, 3, tags=["x"], description="e", origin="p", testcaseTags="y")
    assert changed == {**case, "testcaseTags": "y", "testcaseDescription": "e", "testcaseOrigin": "p"}


def test_only_a_name_and_a_text_are_needed(client: TestClient, alice: Person) -> None:
    case = create_case(client, alice, description=None, testcaseTags=None, testcaseExternalID="")
    empty = ("testcaseTags", "testcaseDescription", "testcaseOrigin", "testcaseExternalID")
    assert [case[field] for field in empty] == [""] * 4
    assert create_case(client, alice, testcaseName="Another", testcase="")["testcase"] == ""


def test_a_change_that_changes_nothing_leaves_the_model_alone(
    client: TestClient, alice: Person, model: Any
) -> None:
    case = client.get(f"{CASES}/1", headers=alice.bearer).json()
    assert change_case(client, alice, 1, **case) == case
    assert change_case(client, alice, 1) == case
    assert client.get("/ai/models/1", headers=alice.bearer).json() == model


@pytest.mark.parametrize("character", '"\\;:{}')
def test_a_name_with_a_character_that_is_not_allowed_is_refused(
    client: TestClient, alice: Person, model: Any, character: str
) -> None:
    body = {**NEW, "testcaseName": f"a{character}b"}
    for method, path in (("POST", CASES), ("PUT", f"{CASES}/1")):
        response = client.request(method, path, headers=alice.bearer, json=body)
        assert response.status_code == 400
        assert response.json() == {
            "message": "The name of the test case is not allowed.",
            "errors": [{"field": "testcaseName", "problem": 'must not contain any of " \\ ; : { }'}],
        }
    assert client.get("/ai/models/1", headers=alice.bearer).json() == model


def test_a_name_or_an_external_id_that_is_taken_is_refused(
    client: TestClient, alice: Person, model: Any
) -> None:
    before = list_cases(client, alice)
    taken = {
        "testcaseName": ("See the veterinarians", 'There is a test case "See the veterinarians" already.'),
        "testcaseExternalID": ("PET-2", 'There is a test case with the external id "PET-2" already.'),
    }
    for field, (value, message) in taken.items():
        for method, path in (("POST", CASES), ("PUT", f"{CASES}/1")):
            body = {**(NEW if method == "POST" else {}), field: value}
            response = client.request(method, path, headers=alice.bearer, json=body)
            assert response.status_code == 400
            assert response.json()["message"] == message
            assert [fault["field"] for fault in response.json()["errors"]] == [field]
    assert list_cases(client, alice) == before
    assert client.get("/ai/models/1", headers=alice.bearer).json() == model


def test_another_model_may_have_the_same_name_and_external_id(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    create_model(client, alice, samples["petclinic"], name="Copy")
    case = create_case(client, alice, testcaseExternalID="PET-9")
    body = {**NEW, "testcaseExternalID": "PET-9"}
    response = client.post("/ai/models/2/testcases", headers=alice.bearer, json=body)
    assert response.status_code == 200
    copies = client.get("/ai/models/2/testcases", headers=alice.bearer).json()
    assert [copy["testcaseName"] for copy in copies] == [
        "Find an owner",
        "See the veterinarians",
        "Look around",
    ]
    # A test case is only found under its own model.
    response = client.put(f"{CASES}/{copies[2]['id']}", headers=alice.bearer, json={"description": "x"})
    assert response.status_code == 404
    assert list_cases(client, alice)[2] == case


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('State "HomePage", State', "testcase[1]"),
        ('Screen "HomePage"', "testcase[0]"),
        ('State "HomePage", State "Nowhere"', "testcase[1]"),
        ('Action "e_Nothing"', "testcase[0]"),
    ],
)
def test_a_text_that_does_not_fit_the_model_is_refused_with_the_place(
    client: TestClient, alice: Person, model: Any, text: str, field: str
) -> None:
    for method, path in (("POST", CASES), ("PUT", f"{CASES}/1")):
        response = client.request(method, path, headers=alice.bearer, json={**NEW, "testcase": text})
        assert response.status_code == 400
        assert [fault["field"] for fault in response.json()["errors"]] == [field]
    assert len(list_cases(client, alice)) == 2
    assert client.get("/ai/models/1", headers=alice.bearer).json() == model


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "testcaseName"),
        ({"testcaseName": "x"}, "testcase"),
        ({**NEW, "testcaseName": ""}, "testcaseName"),
        ({**NEW, "testcaseName": None}, "testcaseName"),
        ({**NEW, "testcaseName": "x" * 256}, "testcaseName"),
        ({**NEW, "testcaseName": "a\nb"}, "testcaseName"),
        ({**NEW, "testcase": 7}, "testcase"),
        ({**NEW, "testcase": "x" * 65_537}, "testcase"),
        ({**NEW, "testcaseTags": [1]}, "testcaseTags"),
        ({**NEW, "tags": {"a": 1}}, "tags"),
        ({**NEW, "tags": ["x" * 255] * 300}, "tags"),
        ({**NEW, "description": "\x00"}, "description"),
        ({**NEW, "testcaseOrigin": "x" * 256}, "testcaseOrigin"),
        ({**NEW, "testcaseExternalID": "a\tb"}, "testcaseExternalID"),
    ],
)
def test_a_body_with_a_bad_field_is_refused(
    client: TestClient, alice: Person, model: Any, body: dict[str, object], field: str
) -> None:
    response = client.post(CASES, headers=alice.bearer, json=body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == field
    assert client.get("/ai/models/1", headers=alice.bearer).json() == model


def test_the_test_cases_of_a_foreign_model_are_unknown(
    client: TestClient, alice: Person, bob: Person, nobody: Person, lab: Program, model: Any
) -> None:
    operations = [
        ("POST", CASES),
        ("GET", CASES),
        ("GET", f"{CASES}/1"),
        ("PUT", f"{CASES}/1"),
        ("DELETE", f"{CASES}/1"),
        ("GET", "/ai/models/7/testcases"),
        ("DELETE", "/ai/models/7/testcases/1"),
    ]
    for method, path in operations:
        response = client.request(method, path, headers=bob.bearer, json=NEW)
        number = path.split("/")[3]
        assert (response.status_code, response.json()) == (404, {"message": f"There is no model {number}."})
        for person in (nobody, lab):
            assert client.request(method, path, headers=person.bearer, json=NEW).status_code == 403
    assert client.get("/ai/models/1", headers=alice.bearer).json() == model
