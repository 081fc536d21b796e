"""/ai/models and the test cases of their documents."""

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from opendai import tables
from opendai.database import Database
from tests.arranging.models import create_model
from tests.conftest import Person
from tests.inprocess import TestClient


@pytest.mark.parametrize("sample", ["petclinic", "webstore"])
def test_a_model_comes_back_byte_for_byte(
    client: TestClient, alice: Person, samples: dict[str, str], sample: str
) -> None:
    text = samples[sample].replace('"version"', '"unknownKey": [1,  2], "version"')
    created = create_model(client, alice, text)
    assert created["modeljson"] == text
    assert created["group"] == "shop"
    assert created["agent"] is None
    assert len(created["modeluuid"]) == 36
    assert client.get("/ai/models/1", headers=alice.bearer).json() == created
    assert client.get("/ai/models", headers=alice.bearer).json() == [created]


def test_a_model_without_a_document_begins_with_the_states_every_model_has(
    client: TestClient, alice: Person
) -> None:
    response = client.post("/ai/models", headers=alice.bearer, json={"name": "Fresh", "group": "shop"})
    assert response.status_code == 200
    states = [element["name"] for element in json.loads(response.json()["modeljson"])["elements"]]
    assert states == ["Fresh", "Exit", "Error", "Cleanup", "Initial"]


@pytest.mark.parametrize("group", ["nowhere", "bank", "admin"])
def test_a_group_that_is_not_the_callers_is_unknown(
    client: TestClient, alice: Person, bob: Person, group: str
) -> None:
    response = client.post("/ai/models", headers=alice.bearer, json={"name": "M", "group": group})
    assert response.status_code == 400
    assert response.json() == {
        "message": f'There is no group "{group}".',
        "errors": [{"field": "group", "problem": "is not a group of yours"}],
    }


def test_a_name_is_taken_once_in_a_group(client: TestClient, admin: Person, samples: dict[str, str]) -> None:
    create_model(client, admin, samples["petclinic"], group="admin")
    response = client.post("/ai/models", headers=admin.bearer, json={"name": "PetClinic", "group": "admin"})
    assert response.status_code == 409


def test_a_model_cannot_take_the_name_of_another_in_its_group(
    client: TestClient, admin: Person, samples: dict[str, str]
) -> None:
    create_model(client, admin, samples["petclinic"], group="admin")
    other = create_model(client, admin, samples["petclinic"], name="Clinic", group="admin")
    for change in ({"name": "PetClinic"}, {"name": "PetClinic", "group": "admin"}):
        response = client.put(f"/ai/models/{other['id']}", headers=admin.bearer, json=change)
        assert response.status_code == 409
        assert response.json() == {"message": 'There is a model "PetClinic" in this group already.'}
    assert client.get(f"/ai/models/{other['id']}", headers=admin.bearer).json() == other


def _without(document: dict[str, Any], **change: Any) -> str:
    return json.dumps({**document, **change})


def test_a_document_that_is_not_a_model_is_refused_with_the_place(
    client: TestClient, alice: Person, database: Database, samples: dict[str, str]
) -> None:
    document = json.loads(samples["petclinic"])
    elements = document["elements"]
    start = next(element for element in elements if element.get("stateType") == "Start")
    action = next(element for element in elements if element["type"] == "Action")
    dangling = {**action, "connectedStates": [{"stateRef": 42}]}
    bad = {
        "[": "modeljson",
        "[]": "modeljson",
        "{}": "elements",
        _without(document, elements=[element for element in elements if element is not start]): "elements",
        _without(document, elements=[*elements, elements[3]]): f"elements[{len(elements)}]",
        _without(document, elements=[dangling if e is action else e for e in elements]): "stateRef",
        _without(document, elements=[{**action, "id": "x"} if e is action else e for e in elements]): "id",
        '{"elements": ' + "[" * 200 + "]" * 200 + "}": "modeljson",
    }
    for text, place in bad.items():
        response = client.post(
            "/ai/models", headers=alice.bearer, json={"name": "M", "group": "shop", "modeljson": text}
        )
        assert response.status_code == 400, text[:80]
        assert any(place in fault["field"] for fault in response.json()["errors"]), response.text
    with database.reading() as session:
        assert session.scalar(select(func.count(tables.Model.id))) == 0


def test_a_document_over_eight_megabytes_is_refused(client: TestClient, alice: Person) -> None:
    text = '{"elements": [], "padding": "' + "x" * (8 << 20) + '"}'
    response = client.post(
        "/ai/models", headers=alice.bearer, json={"name": "M", "group": "shop", "modeljson": text}
    )
    assert response.status_code == 400
    assert "8" in response.json()["message"]
    text = "x" * (20 << 20)
    response = client.post(
        "/ai/models", headers=alice.bearer, json={"name": "M", "group": "shop", "modeljson": text}
    )
    assert response.status_code == 413


def test_a_name_in_the_document_that_is_too_long_is_refused(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    text = samples["petclinic"].replace('"HomePage"', json.dumps("H" * 300))
    response = client.post(
        "/ai/models", headers=alice.bearer, json={"name": "M", "group": "shop", "modeljson": text}
    )
    assert response.status_code == 400


def test_a_changed_document_is_a_new_version(
    client: TestClient, alice: Person, database: Database, samples: dict[str, str]
) -> None:
    created = create_model(client, alice, samples["petclinic"])
    same = client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": samples["petclinic"]}).json()
    assert same["modeljson"] == created["modeljson"]
    changed = samples["petclinic"] + "\n"
    updated = client.put(
        "/ai/models/1", headers=alice.bearer, json={"modeljson": changed, "name": "Clinic"}
    ).json()
    assert updated["modeljson"] == changed
    assert updated["name"] == "Clinic"
    assert updated["updated"] > created["updated"]
    with database.reading() as session:
        numbers = session.scalars(select(tables.ModelVersion.number).order_by(tables.ModelVersion.id)).all()
    assert numbers == [1, 2]


def test_a_refused_update_changes_nothing(client: TestClient, alice: Person, samples: dict[str, str]) -> None:
    created = create_model(client, alice, samples["petclinic"])
    for change in (
        {"name": "X", "modeljson": "{}"},
        {"name": "X", "group": "nowhere"},
        {"name": "X", "agent": 9},
    ):
        assert client.put("/ai/models/1", headers=alice.bearer, json=change).status_code == 400
    assert client.get("/ai/models/1", headers=alice.bearer).json() == created


def test_the_test_cases_of_the_document_are_listed(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    model = create_model(client, alice, samples["petclinic"])
    cases = client.get("/ai/testcases", headers=alice.bearer).json()
    assert [case["testcaseName"] for case in cases] == ["Find an owner", "See the veterinarians"]
    assert cases[0] == {
        "testcaseName": "Find an owner",
        "testcase": 'State "FindOwners", State "OwnerInformation"',
        "id": 1,
        "tests": "0",
        "fails": "0",
        "testcaseTags": "smoke,owners",
        "testcaseDescription": "Reach the owner information page",
        "testcaseOrigin": "RCI",
        "testcaseExternalID": "PET-1",
        "testIds": "",
        "modelId": model["modeluuid"],
        "modelName": "PetClinic",
    }


def test_test_cases_can_be_searched_sorted_and_paged(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    clinic = create_model(client, alice, samples["petclinic"])
    create_model(client, alice, samples["webstore"], name="WebStore")

    def names(query: str) -> list[str]:
        response = client.get(f"/ai/testcases?{query}", headers=alice.bearer)
        assert response.status_code == 200, response.text
        return [case["testcaseName"] for case in response.json()]

    assert names(f"modelid={clinic['modeluuid']}") == ["Find an owner", "See the veterinarians"]
    assert names("searchText=VETERIN") == ["See the veterinarians"]
    assert names("searchText=%25") == []
    assert names("sort=-testcaseName&limit=1") == ["Sign in and out"]
    assert names("sort=+testcaseName&limit=1") == names("sort=testcaseName&limit=1")
    assert names("offset=-5&limit=1") == ["Find an owner"]
    assert names("modelid=unknown") == []
    for bad in ("sort=password", "limit=0", "limit=-1", "offset=x", "limit=99999999999999999999"):
        assert client.get(f"/ai/testcases?{bad}", headers=alice.bearer).status_code == 400, bad


def test_test_cases_follow_the_document_and_keep_their_ids(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    create_model(client, alice, samples["petclinic"])
    document = json.loads(samples["petclinic"])
    document["testcases"] = [{**document["testcases"][1], "testcase": 'State "HomePage"'}]
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": json.dumps(document)})
    cases = client.get("/ai/testcases", headers=alice.bearer).json()
    assert [(case["id"], case["testcase"]) for case in cases] == [(2, 'State "HomePage"')]


def test_bob_sees_nothing_of_alices_models(
    client: TestClient, alice: Person, bob: Person, admin: Person, samples: dict[str, str]
) -> None:
    create_model(client, alice, samples["petclinic"])
    assert client.get("/ai/models", headers=bob.bearer).json() == []
    assert client.get("/ai/testcases", headers=bob.bearer).json() == []
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/coverage")):
        response = client.request(method, f"/ai/models/1{path}", headers=bob.bearer, json={"name": "Mine"})
        assert response.status_code == 404, (method, path)
        assert response.json() == {"message": "There is no model 1."}
    assert client.get("/ai/models/1", headers=admin.bearer).json()["name"] == "PetClinic"


def test_deleting_a_model_deletes_what_belongs_to_it(
    client: TestClient, alice: Person, database: Database, samples: dict[str, str]
) -> None:
    create_model(client, alice, samples["petclinic"])
    response = client.delete("/ai/models/1", headers=alice.bearer)
    assert (response.status_code, response.json()) == (200, {})
    with database.reading() as session:
        for table in (tables.Model, tables.ModelVersion, tables.TestCase):
            assert session.scalar(select(func.count(table.id))) == 0
