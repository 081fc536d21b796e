"""/ai/groups."""

from typing import Any

import pytest
from sqlalchemy import delete, select

from opendai import tables
from opendai.database import Database
from tests.conftest import Person, Program
from tests.inprocess import TestClient


def create_group(client: TestClient, admin: Person, name: str) -> Any:
    response = client.post("/ai/groups", headers=admin.bearer, json={"groupname": name})
    assert response.status_code == 200, response.text
    return response.json()


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(tables.Group.name).order_by(tables.Group.id)))


def group_id(client: TestClient, admin: Person, name: str) -> int:
    listed = client.get("/ai/groups", headers=admin.bearer).json()
    return next(group["id"] for group in listed if group["groupname"] == name)


def test_creating_a_group(client: TestClient, admin: Person) -> None:
    response = client.post("/ai/groups", headers=admin.bearer, json={"id": 77, "groupname": "lab", "x": 1})
    assert response.status_code == 200
    created = response.json()
    assert created == {"id": created["id"], "groupname": "lab"}
    assert created["id"] != 77
    assert client.get(f"/ai/groups/{created['id']}", headers=admin.bearer).json() == created


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"groupname": None},
        {"groupname": ""},
        {"groupname": "  "},
        {"groupname": "a\tb"},
        {"groupname": "x" * 256},
        {"groupname": "shop"},
        {"groupname": "alice"},
    ],
)
def test_a_group_that_cannot_be_is_refused_and_nothing_is_stored(
    client: TestClient, admin: Person, alice: Person, database: Database, body: dict[str, Any]
) -> None:
    lab = create_group(client, admin, "lab")
    for method, path in (("POST", "/ai/groups"), ("PUT", f"/ai/groups/{lab['id']}")):
        response = client.request(method, path, headers=admin.bearer, json=body)
        assert response.status_code == 400
        assert [fault["field"] for fault in response.json()["errors"]] == ["groupname"]
    assert names(database) == ["admin", "alice", "shop", "lab"]


def test_a_name_is_free_again_once_the_user_of_the_name_has_a_group_elsewhere(
    client: TestClient, admin: Person, database: Database, nobody: Person
) -> None:
    response = client.post("/ai/groups", headers=admin.bearer, json={"groupname": "nobody"})
    assert response.json() == {
        "message": 'There is a user or a group "nobody" already.',
        "errors": [{"field": "groupname", "problem": "is taken"}],
    }
    client.delete(f"/ai/users/{nobody.id}", headers=admin.bearer)
    create_group(client, admin, "nobody")
    assert names(database) == ["admin", "nobody"]


def test_users_see_their_own_groups(
    client: TestClient, admin: Person, alice: Person, bob: Person, ci: Program
) -> None:
    listed = client.get("/ai/groups", headers=alice.bearer)
    assert listed.status_code == 200
    assert [group["groupname"] for group in listed.json()] == ["alice", "shop"]
    for everything in (admin, ci):
        assert len(client.get("/ai/groups", headers=everything.bearer).json()) == 5
    bank = group_id(client, admin, "bank")
    for number in (bank, 999):
        response = client.get(f"/ai/groups/{number}", headers=alice.bearer)
        assert (response.status_code, response.json()) == (404, {"message": f"There is no group {number}."})
    assert client.get(f"/ai/groups/{bank}", headers=bob.bearer).json() == {"id": bank, "groupname": "bank"}


def test_a_user_without_groups_sees_an_empty_list(
    client: TestClient, alice: Person, database: Database
) -> None:
    with database.writing() as session:
        session.execute(delete(tables.Membership))
    response = client.get("/ai/groups", headers=alice.bearer)
    assert (response.status_code, response.json()) == (200, [])


def test_renaming_a_group_keeps_what_is_in_it(client: TestClient, admin: Person, alice: Person) -> None:
    model = client.post("/ai/models", headers=alice.bearer, json={"name": "M", "group": "shop"}).json()
    shop = group_id(client, admin, "shop")
    response = client.put(f"/ai/groups/{shop}", headers=admin.bearer, json={"id": 5, "groupname": "store"})
    assert (response.status_code, response.json()) == (200, {"id": shop, "groupname": "store"})
    assert client.get("/ai/models/1", headers=alice.bearer).json() == {**model, "group": "store"}
    again = client.put(f"/ai/groups/{shop}", headers=admin.bearer, json={"groupname": "store"})
    assert again.status_code == 200


def test_a_users_own_group_changes_with_the_user_only(
    client: TestClient, admin: Person, alice: Person, database: Database
) -> None:
    own = group_id(client, admin, "alice")
    words = {"message": 'The group "alice" is a user\'s own: it changes with the user.'}
    renaming = client.put(f"/ai/groups/{own}", headers=admin.bearer, json={"groupname": "other"})
    assert (renaming.status_code, renaming.json()) == (400, words)
    deletion = client.delete(f"/ai/groups/{own}", headers=admin.bearer)
    assert (deletion.status_code, deletion.json()) == (400, words)
    same = client.put(f"/ai/groups/{own}", headers=admin.bearer, json={"groupname": "alice"})
    assert same.status_code == 200
    assert names(database) == ["admin", "alice", "shop"]


def test_deleting_a_group_takes_its_members_out_of_it(
    client: TestClient, admin: Person, alice: Person
) -> None:
    shop = group_id(client, admin, "shop")
    response = client.delete(f"/ai/groups/{shop}", headers=admin.bearer)
    assert (response.status_code, response.json()) == (200, {})
    assert client.get(f"/ai/groups/{shop}", headers=admin.bearer).status_code == 404
    groups = client.get(f"/ai/users/{alice.id}", headers=alice.bearer).json()["groups"]
    assert [group["name"] for group in groups] == ["alice"]


def test_a_group_that_holds_models_cannot_be_deleted(
    client: TestClient, admin: Person, alice: Person
) -> None:
    client.post("/ai/models", headers=alice.bearer, json={"name": "M", "group": "shop"})
    shop = group_id(client, admin, "shop")
    response = client.delete(f"/ai/groups/{shop}", headers=admin.bearer)
    assert response.status_code == 400
    assert response.json() == {
        "message": 'The group "shop" holds models or runs, which would be lost with it.'
    }
    client.delete("/ai/models/1", headers=alice.bearer)
    assert client.delete(f"/ai/groups/{shop}", headers=admin.bearer).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_group_that_is_not_there_is_404(client: TestClient, admin: Person, method: str) -> None:
    response = client.request(method, "/ai/groups/999", headers=admin.bearer, json={"groupname": "x"})
    assert (response.status_code, response.json()) == (404, {"message": "There is no group 999."})


def test_only_administrators_write(
    client: TestClient, alice: Person, nobody: Person, lab: Program, database: Database
) -> None:
    for method, path in (("POST", "/ai/groups"), ("PUT", "/ai/groups/2"), ("DELETE", "/ai/groups/2")):
        for person in (alice, nobody, lab):
            response = client.request(method, path, headers=person.bearer, json={"groupname": "x"})
            assert response.status_code == 403, (method, person.name)
            assert response.json() == {"message": "This needs an administrator's rights."}
    for person in (nobody, lab):
        for path in ("/ai/groups", "/ai/groups/2"):
            assert client.get(path, headers=person.bearer).status_code == 403
    assert names(database) == ["admin", "alice", "shop"]
