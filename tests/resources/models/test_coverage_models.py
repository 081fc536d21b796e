"""/ai/coverage/models and /ai/coverage/model/{id}."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import delete, select

from opendai import tables
from opendai.database import Database
from opendai.installation import install
from opendai.settings import Settings
from tests.conftest import Person, Program
from tests.inprocess import TestClient

BUILT_IN = [
    {"id": 1, "name": "All Nodes", "variable_depth": 1, "path_depth": 1, "active": True},
    {"id": 2, "name": "All Pairs", "variable_depth": 1, "path_depth": 2, "active": False},
    {"id": 3, "name": "Extended", "variable_depth": 1, "path_depth": 3, "active": False},
    {"id": 4, "name": "Full Exploratory", "variable_depth": 2, "path_depth": 5, "active": False},
]
MODELS = "/ai/coverage/models"
ONE = "/ai/coverage/model"


def _listed(client: TestClient, person: Person) -> list[Any]:
    response = client.get(MODELS, headers=person.bearer)
    assert response.status_code == 200
    return response.json()


def test_the_list_starts_with_the_built_in_ones(client: TestClient, alice: Person) -> None:
    listed = _listed(client, alice)
    assert listed == [
        {**built_in, "created": found["created"]} for built_in, found in zip(BUILT_IN, listed, strict=True)
    ]
    assert all(datetime.fromisoformat(found["created"]).tzinfo for found in listed)
    response = client.get(f"{ONE}/4", headers=alice.bearer)
    assert (response.status_code, response.json()) == (200, listed[3])


def test_an_installation_makes_the_built_in_ones_once(settings: Settings, database: Database) -> None:
    def names() -> list[str]:
        with database.reading() as session:
            return list(session.scalars(select(tables.CoverageModel.name).order_by(tables.CoverageModel.id)))

    with database.writing() as session:
        session.execute(delete(tables.CoverageModel))
    install(settings)
    assert names() == [built_in["name"] for built_in in BUILT_IN]
    with database.writing() as session:
        session.execute(delete(tables.CoverageModel).where(tables.CoverageModel.name != "Extended"))
    install(settings)
    assert names() == ["Extended"]


def test_only_the_name_is_needed(client: TestClient, admin: Person, alice: Person) -> None:
    response = client.post(MODELS, headers=admin.bearer, json={"name": "Ours", "id": 1, "created": "x"})
    assert response.status_code == 201
    created = response.json()
    assert created == {
        "id": 5,
        "name": "Ours",
        "variable_depth": 1,
        "path_depth": 1,
        "active": True,
        "created": created["created"],
    }
    assert _listed(client, alice)[4] == created


def test_every_field_can_be_set(client: TestClient, admin: Person) -> None:
    body = {"name": "Ours", "variable_depth": 2, "path_depth": 5, "active": False}
    response = client.post(MODELS, headers=admin.bearer, json=body)
    created = response.json()
    assert (response.status_code, created) == (201, {"id": 5, **body, "created": created["created"]})
    assert client.get(f"{ONE}/5", headers=admin.bearer).json() == created


def test_updating_a_built_in_one_changes_what_is_given(client: TestClient, admin: Person) -> None:
    before = _listed(client, admin)
    response = client.put(f"{ONE}/2", headers=admin.bearer, json={"active": True, "name": None, "id": 7})
    after = {**before[1], "active": True}
    assert (response.status_code, response.json()) == (200, after)
    response = client.put(f"{ONE}/2", headers=admin.bearer, json=after)
    assert (response.status_code, response.json()) == (200, after)
    assert _listed(client, admin) == [before[0], after, *before[2:]]


def test_a_name_is_taken_once(client: TestClient, admin: Person) -> None:
    before = _listed(client, admin)
    for response in (
        client.post(MODELS, headers=admin.bearer, json={"name": "Extended"}),
        client.put(f"{ONE}/1", headers=admin.bearer, json={"name": "Extended", "path_depth": 4}),
    ):
        assert response.status_code == 409
        assert response.json() == {"message": 'There is a coverage model "Extended" already.'}
    assert _listed(client, admin) == before


@pytest.mark.parametrize(
    "fault",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 256},
        {"path_depth": 0},
        {"path_depth": 6},
        {"path_depth": "deep"},
        {"variable_depth": 0},
        {"variable_depth": 3},
        {"variable_depth": 1.5},
        {"active": "perhaps"},
    ],
)
def test_bad_data_is_refused_and_nothing_is_stored(
    client: TestClient, admin: Person, fault: dict[str, object]
) -> None:
    before = _listed(client, admin)
    body = {"name": "Ours", **fault}
    for method, path in (("POST", MODELS), ("PUT", f"{ONE}/1")):
        response = client.request(method, path, headers=admin.bearer, json=body)
        assert response.status_code == 400
        assert [found["field"] for found in response.json()["errors"]] == list(fault)
    assert _listed(client, admin) == before


@pytest.mark.parametrize("body", [{}, {"name": None}, {"path_depth": 2}])
def test_a_new_one_needs_a_name(client: TestClient, admin: Person, body: dict[str, object]) -> None:
    response = client.post(MODELS, headers=admin.bearer, json=body)
    assert response.status_code == 400
    assert [found["field"] for found in response.json()["errors"]] == ["name"]


def test_one_can_be_deleted(client: TestClient, admin: Person) -> None:
    before = _listed(client, admin)
    response = client.delete(f"{ONE}/3", headers=admin.bearer)
    assert (response.status_code, response.json()) == (200, {})
    assert _listed(client, admin) == [*before[:2], before[3]]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_one_that_is_not_there_is_404(client: TestClient, admin: Person, method: str) -> None:
    response = client.request(method, f"{ONE}/9", headers=admin.bearer, json={"name": "x"})
    assert (response.status_code, response.json()) == (404, {"message": "There is no coverage model 9."})


def test_everyone_with_rights_reads_and_only_administrators_write(
    client: TestClient, alice: Person, nobody: Person, lab: Program, ci: Program
) -> None:
    before = _listed(client, ci)
    for method, path in (("POST", MODELS), ("PUT", f"{ONE}/1"), ("DELETE", f"{ONE}/1")):
        for person in (alice, nobody, lab):
            response = client.request(method, path, headers=person.bearer, json={"name": "Mine"})
            assert response.status_code == 403, (method, person.name)
            assert response.json() == {"message": "This needs an administrator's rights."}
    for person in (nobody, lab):
        for path in (MODELS, f"{ONE}/1"):
            assert client.get(path, headers=person.bearer).status_code == 403
    assert _listed(client, alice) == before
