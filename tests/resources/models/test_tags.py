"""/ai/models/{model_id}/tags."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from opendai import tables
from opendai.database import Database
from tests.arranging.models import create_model
from tests.conftest import Person, Program
from tests.inprocess import TestClient

TAGS = "/ai/models/1/tags"


@pytest.fixture(autouse=True)
def model(client: TestClient, alice: Person, samples: dict[str, str]) -> Any:
    return create_model(client, alice, samples["petclinic"])


def _tag(client: TestClient, person: Person, word: str) -> Any:
    response = client.post(TAGS, headers=person.bearer, json={"tag": word})
    assert response.status_code == 200, response.text
    return response.json()


def test_only_the_tag_is_needed_and_its_author_is_the_caller(client: TestClient, alice: Person) -> None:
    body = {"id": 9, "model": "Other", "tag": "smoke", "author": "bob", "created": "1999-01-01"}
    response = client.post(TAGS, headers=alice.bearer, json=body)
    assert response.status_code == 200
    tag = response.json()
    created = datetime.fromisoformat(tag["created"])
    assert created.year > 2000
    assert tag == {
        "id": 1,
        "model": "PetClinic",
        "tag": "smoke",
        "created": created.isoformat(),
        "author": "alice",
    }
    second = _tag(client, alice, "nightly")
    assert client.get(TAGS, headers=alice.bearer).json() == [tag, second]


def test_a_tag_can_be_changed_and_keeps_its_author(client: TestClient, alice: Person, admin: Person) -> None:
    tag = _tag(client, alice, "smoke")
    response = client.put(
        f"{TAGS}/1", headers=admin.bearer, json={"tag": "regression", "author": "admin", "model": "X"}
    )
    assert (response.status_code, response.json()) == (200, {**tag, "tag": "regression"})
    assert client.get(TAGS, headers=alice.bearer).json() == [{**tag, "tag": "regression"}]


def test_the_same_tag_twice_is_a_conflict(client: TestClient, alice: Person) -> None:
    tags = [_tag(client, alice, "smoke"), _tag(client, alice, "nightly")]
    for response in (
        client.post(TAGS, headers=alice.bearer, json={"tag": "smoke"}),
        client.put(f"{TAGS}/2", headers=alice.bearer, json={"tag": "smoke"}),
    ):
        assert (response.status_code, response.json()) == (409, {"message": "Model 1 has this tag already."})
    assert client.get(TAGS, headers=alice.bearer).json() == tags
    assert client.put(f"{TAGS}/2", headers=alice.bearer, json={"tag": "nightly"}).json() == tags[1]


def test_two_models_can_have_the_same_tag(client: TestClient, alice: Person, samples: dict[str, str]) -> None:
    create_model(client, alice, samples["webstore"], name="WebStore")
    _tag(client, alice, "smoke")
    response = client.post("/ai/models/2/tags", headers=alice.bearer, json={"tag": "smoke"})
    assert response.status_code == 200
    assert response.json()["model"] == "WebStore"
    # A tag is only found under its own model.
    response = client.put("/ai/models/1/tags/2", headers=alice.bearer, json={"tag": "other"})
    assert (response.status_code, response.json()) == (404, {"message": "There is no tag 2 on model 1."})


@pytest.mark.parametrize("body", [{}, {"tag": None}, {"tag": ""}, {"tag": "x" * 256}, {"tag": "a\nb"}])
def test_a_tag_that_is_not_allowed_is_refused_and_nothing_is_stored(
    client: TestClient, alice: Person, database: Database, body: dict[str, object]
) -> None:
    tag = _tag(client, alice, "smoke")
    for method, path in (("POST", TAGS), ("PUT", f"{TAGS}/1")):
        response = client.request(method, path, headers=alice.bearer, json=body)
        assert response.status_code == 400
        assert [fault["field"] for fault in response.json()["errors"]] == ["tag"]
    assert client.get(TAGS, headers=alice.bearer).json() == [tag]


def test_the_tags_of_a_foreign_model_are_unknown(
    client: TestClient, alice: Person, bob: Person, nobody: Person, lab: Program
) -> None:
    tag = _tag(client, alice, "smoke")
    for method, path in (("POST", TAGS), ("GET", TAGS), ("PUT", f"{TAGS}/1"), ("GET", "/ai/models/7/tags")):
        response = client.request(method, path, headers=bob.bearer, json={"tag": "mine"})
        number = path.split("/")[3]
        assert (response.status_code, response.json()) == (404, {"message": f"There is no model {number}."})
        for person in (nobody, lab):
            response = client.request(method, path, headers=person.bearer, json={"tag": "mine"})
            assert response.status_code == 403
    assert client.get(TAGS, headers=alice.bearer).json() == [tag]


def test_the_tags_of_a_deleted_model_are_gone(client: TestClient, alice: Person, database: Database) -> None:
    _tag(client, alice, "smoke")
    client.delete("/ai/models/1", headers=alice.bearer)
    with database.reading() as session:
        assert session.scalar(select(func.count(tables.ModelTag.id))) == 0
