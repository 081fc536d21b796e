"""/ai/users."""

from typing import Any

import pytest

from opendai.database import Database
from tests.arranging.users import FRESH_PASSWORD, bearer, log_in, usernames
from tests.conftest import PASSWORD, Person
from tests.inprocess import TestClient


def create_user(client: TestClient, admin: Person, **fields: Any) -> Any:
    response = client.post("/ai/users", headers=admin.bearer, json=fields)
    assert response.status_code == 200, response.text
    return response.json()


def groups_of(user: dict[str, Any]) -> list[str]:
    return [group["name"] for group in user["groups"]]


def test_a_new_user_gets_a_group_of_their_own(client: TestClient, admin: Person) -> None:
    created = create_user(client, admin, username="carol", password=FRESH_PASSWORD)
    group = created["groups"][0]["id"]
    assert created == {
        "id": created["id"],
        "username": "carol",
        "role": "User",
        "groups": [{"id": group, "name": "carol"}],
        "hide_welcome_popup": False,
    }
    assert client.get(f"/ai/users/{created['id']}", headers=admin.bearer).json() == created
    groups = client.get("/ai/groups", headers=admin.bearer).json()
    assert {"id": group, "groupname": "carol"} in groups
    logged_in = log_in(client, "carol", FRESH_PASSWORD)
    assert client.get("/ai/models", headers=bearer(logged_in)).json() == []


def test_what_the_vendors_client_sends_is_taken(client: TestClient, admin: Person, alice: Person) -> None:
    created = create_user(
        client,
        admin,
        id="99",
        username="carol",
        role="Admin",
        groups=["shop", "carol"],
        password=FRESH_PASSWORD,
        license=None,
        hide_welcome_popup="true",
        surprise=[1],
    )
    assert created["id"] != 99
    assert created["role"] == "Admin"
    assert groups_of(created) == ["carol", "shop"]
    assert created["hide_welcome_popup"] is True


def test_a_user_without_a_password_cannot_log_in_until_one_is_set(client: TestClient, admin: Person) -> None:
    created = create_user(client, admin, username="carol", role=None, groups=None, hide_welcome_popup=None)
    assert created["role"] == "User"
    assert log_in(client, "carol", "").status_code == 404
    url = f"/ai/users/{created['id']}"
    assert client.put(url, headers=admin.bearer, json={"password": FRESH_PASSWORD}).json() == created
    assert log_in(client, "carol", FRESH_PASSWORD).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "username"),
        ({"username": None}, "username"),
        ({"username": ""}, "username"),
        ({"username": "   "}, "username"),
        ({"username": "a\nb"}, "username"),
        ({"username": "x" * 256}, "username"),
        ({"username": "x", "password": "short"}, "password"),
        ({"username": "x", "password": "x" * 1025}, "password"),
        ({"username": "x", "role": "Owner"}, "role"),
        ({"username": "x", "role": "admin"}, "role"),
        ({"username": "x", "groups": ["nowhere"]}, "groups"),
        ({"username": "x", "groups": "shop"}, "groups"),
        ({"username": "x", "hide_welcome_popup": "perhaps"}, "hide_welcome_popup"),
    ],
)
def test_a_user_that_cannot_be_is_refused_and_nothing_is_stored(
    client: TestClient, admin: Person, database: Database, body: dict[str, Any], field: str
) -> None:
    response = client.post("/ai/users", headers=admin.bearer, json=body)
    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["errors"]] == [field]
    assert usernames(database) == ["admin"]
    assert len(client.get("/ai/groups", headers=admin.bearer).json()) == 1


@pytest.mark.parametrize("name", ["alice", "shop"])
def test_the_name_of_a_user_or_a_group_is_taken(
    client: TestClient, admin: Person, alice: Person, database: Database, name: str
) -> None:
    words = {"message": f'There is a user or a group "{name}" already.'}
    response = client.post("/ai/users", headers=admin.bearer, json={"username": name})
    assert (response.status_code, response.json()) == (409, words)
    carol = create_user(client, admin, username="carol")
    response = client.put(f"/ai/users/{carol['id']}", headers=admin.bearer, json={"username": name})
    assert (response.status_code, response.json()) == (409, words)
    assert usernames(database) == ["admin", "alice", "carol"]


def test_listing_users(client: TestClient, admin: Person, nobody: Person) -> None:
    listed = client.get("/ai/users", headers=admin.bearer)
    assert listed.status_code == 200
    group = listed.json()[0]["groups"][0]["id"]
    assert listed.json() == [
        {
            "id": admin.id,
            "username": "admin",
            "role": "Admin",
            "groups": [{"id": group, "name": "admin"}],
            "hide_welcome_popup": False,
        },
        {"id": nobody.id, "username": "nobody", "role": "None", "groups": [], "hide_welcome_popup": False},
    ]


def test_updating_a_user_changes_what_is_given(client: TestClient, admin: Person, alice: Person) -> None:
    before = client.get(f"/ai/users/{alice.id}", headers=admin.bearer).json()
    url = f"/ai/users/{alice.id}"
    response = client.put(url, headers=admin.bearer, json={"hide_welcome_popup": "True", "license": None})
    assert (response.status_code, response.json()) == (200, {**before, "hide_welcome_popup": True})
    response = client.put(url, headers=admin.bearer, json={"username": "alice", "role": "Admin"})
    assert response.json() == {**before, "hide_welcome_popup": True, "role": "Admin"}
    assert client.get("/ai/users", headers=alice.bearer).status_code == 200


def test_groups_are_set_as_a_whole_but_for_the_users_own(
    client: TestClient, admin: Person, alice: Person, bob: Person
) -> None:
    url = f"/ai/users/{alice.id}"
    assert groups_of(client.put(url, headers=admin.bearer, json={"groups": ["bank"]}).json()) == [
        "alice",
        "bank",
    ]
    assert groups_of(client.put(url, headers=admin.bearer, json={"groups": []}).json()) == ["alice"]
    response = client.put(url, headers=admin.bearer, json={"groups": ["bank", "nowhere"], "role": "Admin"})
    assert response.status_code == 400
    assert response.json() == {
        "message": "There is no group nowhere.",
        "errors": [{"field": "groups", "problem": "names a group that is not there"}],
    }
    user = client.get(url, headers=admin.bearer).json()
    assert (groups_of(user), user["role"]) == (["alice"], "User")


def test_renaming_a_user_renames_their_own_group(client: TestClient, admin: Person, alice: Person) -> None:
    response = client.put(
        f"/ai/users/{alice.id}", headers=admin.bearer, json={"username": "alicia", "groups": ["alicia"]}
    )
    assert response.status_code == 200
    assert response.json()["username"] == "alicia"
    assert groups_of(response.json()) == ["alicia"]
    names = [group["groupname"] for group in client.get("/ai/groups", headers=admin.bearer).json()]
    assert sorted(names) == ["admin", "alicia", "shop"]
    assert client.get("/ai/auth", headers=alice.bearer).json()["payload"]["user"]["username"] == "alicia"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/ai/users/999"),
        ("PUT", "/ai/users/999"),
        ("DELETE", "/ai/users/999"),
        ("POST", "/ai/users/999/welcome_popup"),
    ],
)
def test_a_user_that_is_not_there_is_404(client: TestClient, admin: Person, method: str, path: str) -> None:
    response = client.request(method, path, headers=admin.bearer, json={"hide_welcome_popup": True})
    assert (response.status_code, response.json()) == (404, {"message": "There is no user 999."})


@pytest.mark.parametrize("given", [True, "true", "True", "1"])
def test_hiding_and_showing_the_welcome_popup(client: TestClient, alice: Person, given: Any) -> None:
    url = f"/ai/users/{alice.id}/welcome_popup"
    response = client.post(url, headers=alice.bearer, json={"hide_welcome_popup": given})
    assert response.status_code == 200
    assert response.json() == {
        **client.get(f"/ai/users/{alice.id}", headers=alice.bearer).json(),
        "hide_welcome_popup": True,
    }
    response = client.post(url, headers=alice.bearer, json={"hide_welcome_popup": "false"})
    assert response.json()["hide_welcome_popup"] is False


@pytest.mark.parametrize("body", [{}, {"hide_welcome_popup": "perhaps"}, {"hide_welcome_popup": None}])
def test_a_welcome_popup_that_is_neither_is_refused(
    client: TestClient, alice: Person, body: dict[str, Any]
) -> None:
    response = client.post(f"/ai/users/{alice.id}/welcome_popup", headers=alice.bearer, json=body)
    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["errors"]] == ["hide_welcome_popup"]


def test_deleting_a_user_ends_their_tokens_and_their_empty_group(
    client: TestClient, admin: Person, alice: Person
) -> None:
    logged_in = bearer(log_in(client, "alice", PASSWORD))
    response = client.request(
        "DELETE", f"/ai/users/{alice.id}", headers=admin.bearer, json={"id": str(admin.id), "username": "x"}
    )
    assert (response.status_code, response.json()) == (200, {})
    for ended in (alice.bearer, logged_in):
        assert client.get("/ai/models", headers=ended).status_code == 401
    assert log_in(client, "alice", PASSWORD).status_code == 404
    names = [group["groupname"] for group in client.get("/ai/groups", headers=admin.bearer).json()]
    assert names == ["admin", "shop"]


def test_a_deleted_users_group_stays_while_it_is_of_use(
    client: TestClient, admin: Person, alice: Person, bob: Person
) -> None:
    client.post("/ai/models", headers=alice.bearer, json={"name": "M", "group": "alice"})
    assert client.delete(f"/ai/users/{alice.id}", headers=admin.bearer).status_code == 200
    carol = create_user(client, admin, username="carol")
    client.put(f"/ai/users/{carol['id']}", headers=admin.bearer, json={"groups": ["bob"]})
    assert client.delete(f"/ai/users/{bob.id}", headers=admin.bearer).status_code == 200
    names = [group["groupname"] for group in client.get("/ai/groups", headers=admin.bearer).json()]
    assert names == ["admin", "alice", "shop", "bob", "bank", "carol"]
    assert client.get("/ai/models/1", headers=admin.bearer).json()["group"] == "alice"
    # The next owner of the name must not find the models of the previous one.
    assert client.post("/ai/users", headers=admin.bearer, json={"username": "alice"}).status_code == 409
