"""Changes that people may make to themselves, and to nobody else."""

from typing import Any

import pytest

from opendai.database import Database
from tests.arranging.users import FRESH_PASSWORD, REFUSED, bearer, log_in, usernames
from tests.conftest import PASSWORD, Person, Program
from tests.inprocess import TestClient


def test_users_read_and_change_themselves(client: TestClient, alice: Person) -> None:
    url = f"/ai/users/{alice.id}"
    own = client.get(url, headers=alice.bearer)
    assert (own.status_code, own.json()["username"]) == (200, "alice")
    same = {"username": "alice", "role": "User", "groups": ["shop", "alice"], "hide_welcome_popup": True}
    response = client.put(url, headers=alice.bearer, json=same)
    assert (response.status_code, response.json()) == (200, {**own.json(), "hide_welcome_popup": True})


def test_a_new_password_ends_the_old_one_and_its_tokens(client: TestClient, alice: Person) -> None:
    earlier = bearer(log_in(client, "alice", PASSWORD))
    response = client.put(
        f"/ai/users/{alice.id}", headers=alice.bearer, json={"username": "alice", "password": FRESH_PASSWORD}
    )
    assert response.status_code == 200
    for ended in (alice.bearer, earlier):
        assert client.get("/ai/models", headers=ended).status_code == 401
    assert log_in(client, "alice", PASSWORD).status_code == 404
    assert (
        client.get("/ai/models", headers=bearer(log_in(client, "alice", FRESH_PASSWORD))).status_code == 200
    )


@pytest.mark.parametrize(
    "body",
    [
        {"role": "Admin"},
        {"role": "None"},
        {"groups": ["alice", "shop", "bank"]},
        {"groups": ["alice"]},
        {"username": "alicia"},
        {"password": FRESH_PASSWORD, "role": "Admin"},
    ],
)
def test_nobody_raises_their_own_rights(
    client: TestClient, admin: Person, alice: Person, bob: Person, body: dict[str, Any]
) -> None:
    before = client.get(f"/ai/users/{alice.id}", headers=admin.bearer).json()
    response = client.put(f"/ai/users/{alice.id}", headers=alice.bearer, json=body)
    assert response.status_code == 403
    assert response.json() == {"message": "Only an administrator may change a username, a role or groups."}
    assert client.get(f"/ai/users/{alice.id}", headers=alice.bearer).json() == before
    assert log_in(client, "alice", PASSWORD).status_code == 200


def test_other_users_are_out_of_reach_in_the_same_words_as_none(
    client: TestClient, alice: Person, bob: Person, nobody: Person, lab: Program, database: Database
) -> None:
    for number in (bob.id, 999):
        for method, path, body in (
            ("GET", f"/ai/users/{number}", None),
            ("PUT", f"/ai/users/{number}", {"password": FRESH_PASSWORD}),
            ("DELETE", f"/ai/users/{number}", None),
            ("POST", f"/ai/users/{number}/welcome_popup", {"hide_welcome_popup": True}),
            ("GET", "/ai/users", None),
            ("POST", "/ai/users", {"username": "x"}),
        ):
            response = client.request(method, path, headers=alice.bearer, json=body)
            assert (response.status_code, response.json()) == (403, REFUSED), (method, path)
            for stranger in (nobody, lab):
                response = client.request(method, path, headers=stranger.bearer, json=body)
                assert response.status_code == 403, (method, path, stranger.name)
    assert client.get(f"/ai/users/{nobody.id}", headers=nobody.bearer).status_code == 403
    assert usernames(database) == ["alice", "bob", "nobody"]
    assert log_in(client, "bob", PASSWORD).json()["hide_welcome_popup"] is False


def test_an_api_client_is_not_the_user_of_the_same_number(
    client: TestClient, alice: Person, lab: Program
) -> None:
    assert alice.id == lab.id
    assert client.get(f"/ai/users/{alice.id}", headers=lab.bearer).status_code == 403
