"""Test cases in a model's document: in step with the rows, both ways. The rest of the document stays."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from opendai import tables
from opendai.database import Database
from opendai.engine.formats.syntax import LARGEST_TEXT
from tests.arranging.editing import (
    CASES,
    NEW,
    change_case,
    create_case,
    list_cases,
    list_versions,
    model_text,
)
from tests.arranging.models import create_model
from tests.conftest import Person
from tests.inprocess import TestClient


@pytest.fixture(autouse=True)
def model(client: TestClient, alice: Person, samples: dict[str, str]) -> Any:
    return create_model(client, alice, samples["petclinic"])


def test_an_update_changes_the_row_and_the_document(
    client: TestClient, alice: Person, model: Any, database: Database
) -> None:
    before = list_cases(client, alice)
    case = change_case(
        client, alice, 2, testcaseName="Vets", testcase='State "FindOwners"', testcaseOrigin=None
    )
    assert case == {**before[1], "testcaseName": "Vets", "testcase": 'State "FindOwners"'}
    assert list_cases(client, alice) == [before[0], case]
    text = model["modeljson"].replace('"See the veterinarians"', '"Vets"')
    assert model_text(client, alice) == text.replace(
        '"State \\"Veterinarians\\""', '"State \\"FindOwners\\""'
    )
    assert list_versions(database) == [(1, 1)]
    assert client.get("/ai/models/1", headers=alice.bearer).json()["updated"] > model["updated"]


def test_a_test_case_is_deleted_from_the_rows_and_the_document(
    client: TestClient, alice: Person, model: Any, database: Database
) -> None:
    before = list_cases(client, alice)
    response = client.delete(f"{CASES}/1", headers=alice.bearer)
    assert (response.status_code, response.json()) == (200, {})
    assert list_cases(client, alice) == before[1:]
    head, _, rest = model["modeljson"].partition('{"testcaseName":"Find an owner"')
    assert model_text(client, alice) == head + rest[rest.index('{"testcaseName"') :]
    assert list_versions(database) == [(1, 1)]
    for method in ("GET", "PUT", "DELETE"):
        response = client.request(method, f"{CASES}/1", headers=alice.bearer, json={})
        assert (response.status_code, response.json()) == (
            404,
            {"message": "There is no test case 1 of model 1."},
        )


def test_everything_around_the_edited_entry_stays_byte_for_byte(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    document = json.loads(samples["petclinic"])
    document["testcases"][0]["color"] = {"unknown": [1, 2.50]}
    document["unknown"] = "ü"
    text = "\n" + json.dumps(document, indent=3) + "\r\n"
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": text})
    assert model_text(client, alice) == text
    change_case(client, alice, 1, testcaseDescription="ö")
    changed = text.replace('"Reach the owner information page"', '"ö"')
    assert model_text(client, alice) == changed
    create_case(client, alice)
    client.delete(f"{CASES}/3", headers=alice.bearer)
    assert model_text(client, alice) == changed


def test_a_document_without_test_cases_gets_the_list(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    document = json.loads(samples["petclinic"])
    del document["testcases"]
    text = json.dumps(document)
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": text})
    assert list_cases(client, alice) == []
    create_case(client, alice)
    edited = model_text(client, alice)
    assert edited.startswith(text[:-1] + ',"testcases":[{"testcaseName":"Look around"')
    assert [case["testcaseName"] for case in json.loads(edited)["testcases"]] == ["Look around"]


def test_a_document_that_is_stored_again_is_no_new_version_after_an_edit(
    client: TestClient, alice: Person, database: Database
) -> None:
    case = create_case(client, alice)
    text = model_text(client, alice)
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": text})
    assert list_versions(database) == [(1, 1)]
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": text + "\n"})
    assert [number for _, number in list_versions(database)] == [1, 2]
    assert list_cases(client, alice)[2] == case
    change_case(client, alice, 3, testcaseName="Later")
    with database.reading() as session:
        version = tables.ModelVersion
        texts = session.scalars(select(version.document).order_by(version.number)).all()
    assert texts == [text, text.replace("Look around", "Later") + "\n"]


def test_a_test_case_of_an_older_document_can_still_be_described(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    document = json.loads(samples["petclinic"])
    document["testcases"] = [{"testcaseName": "A: {old}", "testcase": 'State "Gone"'}]
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": json.dumps(document)})
    case = list_cases(client, alice)[0]
    changed = {**case, "testcaseDescription": "Before the rewrite"}
    assert change_case(client, alice, case["id"], **changed) == changed
    entry = json.loads(model_text(client, alice))["testcases"]
    assert entry == [{**document["testcases"][0], "testcaseDescription": "Before the rewrite"}]


def test_a_document_cannot_grow_over_the_limit(
    client: TestClient, alice: Person, samples: dict[str, str], database: Database
) -> None:
    text = samples["petclinic"]
    full = text + " " * (LARGEST_TEXT - len(text.encode()))
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": full})
    response = client.post(CASES, headers=alice.bearer, json=NEW)
    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["errors"]] == ["modeljson"]
    assert len(list_cases(client, alice)) == 2
    assert model_text(client, alice) == full


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"testcaseExternalID": "PET-1"}, "modeljson.testcases[1].testcaseExternalID"),
        ({"testcaseName": "Find an owner"}, "modeljson.testcases[1].testcaseName"),
        ({"testcaseOrigin": "x" * 256}, "modeljson.testcases[1].testcaseOrigin"),
    ],
)
def test_a_document_with_bad_test_cases_is_refused(
    client: TestClient, alice: Person, model: Any, samples: dict[str, str], change: dict[str, str], field: str
) -> None:
    document = json.loads(samples["petclinic"])
    document["testcases"][1] |= change
    response = client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": json.dumps(document)})
    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["errors"]] == [field]
    assert client.get("/ai/models/1", headers=alice.bearer).json() == model


def test_external_ids_can_change_hands_in_a_document(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    document = json.loads(samples["petclinic"])
    first, second = document["testcases"]
    first["testcaseExternalID"], second["testcaseExternalID"] = "PET-2", "PET-1"
    response = client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": json.dumps(document)})
    assert response.status_code == 200
    assert [case["testcaseExternalID"] for case in list_cases(client, alice)] == ["PET-2", "PET-1"]


def test_a_document_can_add_and_remove_thousands_of_test_cases(
    client: TestClient, alice: Person, samples: dict[str, str], database: Database
) -> None:
    document = json.loads(samples["petclinic"])
    document["testcases"] = [{"testcaseName": f"Case {number}", "testcase": ""} for number in range(2500)]
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": json.dumps(document)})
    assert len(list_cases(client, alice)) == 2500
    number = list_cases(client, alice)[1999]["id"]
    change_case(client, alice, number, description="the 2000th")
    assert json.loads(model_text(client, alice))["testcases"][1999]["testcaseDescription"] == "the 2000th"
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": samples["petclinic"]})
    assert len(list_cases(client, alice)) == 2
    with database.reading() as session:
        assert session.scalar(select(func.count(tables.TestCase.id))) == 2


def test_people_who_edit_at_once_lose_nothing(client: TestClient, alice: Person, database: Database) -> None:
    def create(number: int) -> int:
        # Two requests for every name.
        body = {**NEW, "testcaseName": f"Case {number // 2}"}
        return client.post(CASES, headers=alice.bearer, json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(create, range(16)))
    assert sorted(statuses) == [200] * 8 + [400] * 8
    names = {case["testcaseName"] for case in list_cases(client, alice)}
    assert {f"Case {number}" for number in range(8)} < names
    listed = [entry["testcaseName"] for entry in json.loads(model_text(client, alice))["testcases"]]
    assert len(listed) == 10
    assert set(listed) == names
