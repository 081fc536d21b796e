"""/api_clients: who may manage programs, what they are made of, and what ends with them."""

import base64
from typing import Any
from urllib.parse import quote

import pytest

from opendai.database import Database
from tests.arranging.api_clients import (
    CALLBACK,
    CLIENTS,
    TOKEN_URL,
    TOKENS,
    api_client_rows,
    bearer,
    create,
    grant,
    made,
)
from tests.conftest import Person, Program
from tests.inprocess import TestClient


def test_a_client_needs_a_name_and_gets_the_rest(client: TestClient, admin: Person) -> None:
    response = create(client, admin)
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    secret, client_id, created = (body.pop(key) for key in ("client_secret", "client_id", "created"))
    assert body == {
        "id": 1,
        "name": "Nightly",
        "description": "",
        "role": "admin",
        "grants": ["client_credentials", "password"],
        "redirect_uris": [],
        "is_public": False,
        "revoked": None,
        "token_url": TOKEN_URL,
    }
    assert len(secret) == 43
    assert client_id.startswith("nightly-")
    assert created.endswith("+00:00")


def test_the_secret_is_shown_once_and_kept_as_a_hash(
    client: TestClient, admin: Person, database: Database
) -> None:
    issued = made(create(client, admin))
    shown = client.get(f"{CLIENTS}/1", headers=admin.bearer).text
    listed = client.get(CLIENTS, headers=admin.bearer).text
    assert issued["client_secret"] not in shown + listed + str(api_client_rows(database))
    assert "secret" not in shown + listed
    assert client.get("/ai/agents", headers=bearer(client, issued)).status_code == 200


@pytest.mark.parametrize(
    ("role", "grants"),
    [
        ("admin", ["client_credentials", "password"]),
        ("agent", ["client_credentials"]),
        ("login", ["authorization_code", "refresh_token"]),
    ],
)
def test_each_role_has_its_grants(client: TestClient, admin: Person, role: str, grants: list[str]) -> None:
    assert made(create(client, admin, role=role))["grants"] == grants
    chosen = made(create(client, admin, name="other", role=role, grants=["password", "password"]))
    assert chosen["grants"] == ["password"]


def test_they_are_listed_by_pages(client: TestClient, admin: Person) -> None:
    names = ["one", "two", "three"]
    for name in names:
        made(create(client, admin, name=name))
    body = made(client.get(f"{CLIENTS}?offset=1&limit=1", headers=admin.bearer))
    assert body.keys() == {"items", "total_count", "date_as_of"}
    assert [item["name"] for item in body["items"]] == ["two"]
    assert body["total_count"] == 3
    everything = made(client.get(CLIENTS, headers=admin.bearer))["items"]
    assert [item["name"] for item in everything] == names
    assert made(client.get(f"{CLIENTS}/2", headers=admin.bearer)) == everything[1]


def test_the_slash_at_the_end_may_be_there(client: TestClient, admin: Person) -> None:
    made(create(client, admin))
    for path in (CLIENTS, f"{CLIENTS}/"):
        assert made(client.get(path, headers=admin.bearer))["total_count"] == 1


EVERY_OPERATION = [
    ("GET", ""),
    ("POST", ""),
    ("GET", "/1"),
    ("PATCH", "/1"),
    ("POST", "/1/secret"),
    ("POST", "/1/revoke"),
    ("DELETE", "/1"),
]


@pytest.mark.parametrize(("method", "path"), EVERY_OPERATION)
def test_only_people_who_are_administrators_manage_them(
    client: TestClient,
    admin: Person,
    alice: Person,
    nobody: Person,
    ci: Program,
    lab: Program,
    database: Database,
    method: str,
    path: str,
) -> None:
    before = api_client_rows(database)
    for asking in (ci, alice, lab, nobody):
        response = client.request(
            method, CLIENTS + path, headers=asking.bearer, json={"name": "another", "role": "admin"}
        )
        assert response.status_code == 403
        assert response.json().keys() == {"message"}
    assert client.request(method, CLIENTS + path, json={"name": "another"}).status_code == 401
    assert api_client_rows(database) == before


def test_a_program_with_an_administrators_rights_is_told_why(client: TestClient, ci: Program) -> None:
    response = client.post(CLIENTS, headers=ci.bearer, json={"name": "another"})
    assert response.json() == {"message": "Only a person who is an administrator may do this."}


@pytest.mark.parametrize(("method", "path"), EVERY_OPERATION[2:])
def test_a_client_that_is_not_there(client: TestClient, admin: Person, method: str, path: str) -> None:
    response = client.request(method, f"{CLIENTS}{path}", headers=admin.bearer, json={})
    assert (response.status_code, response.json()) == (404, {"message": "There is no API client 1."})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", " leading"),
        ("name", "a:b"),
        ("name", "a\nb"),
        ("name", "x" * 101),
        ("description", "a\u0000b"),
        ("description", "x" * 1001),
        ("role", "king"),
        ("role", None),
        ("client_id", ""),
        ("client_id", "a b"),
        ("client_id", "a\tb"),
        ("client_id", "a\n"),
        ("client_id", "a\u0000"),
        ("client_id", "ä"),
        ("client_id", "x" * 256),
        ("client_id", 7),
        ("grants", []),
        ("grants", "password"),
        ("grants", ["implicit"]),
        ("is_public", True),
        ("is_public", "perhaps"),
    ],
)
def test_what_cannot_be_is_refused_and_stores_nothing(
    client: TestClient, admin: Person, database: Database, field: str, value: Any
) -> None:
    response = create(client, admin, **{field: value})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"].split(".")[0] == field
    assert api_client_rows(database) == []


def test_a_name_and_an_id_are_taken_once(client: TestClient, admin: Person, database: Database) -> None:
    made(create(client, admin, client_id="client:dai"))
    made(create(client, admin, name="Other"))
    before = api_client_rows(database)
    same_id = {"message": 'There is an API client with the id "client:dai" already.'}
    same_name = {"message": 'There is an API client "Nightly" already.'}
    for response, refusal in (
        (create(client, admin, name="Third", client_id="client:dai"), same_id),
        (create(client, admin), same_name),
        (client.patch(f"{CLIENTS}/2", headers=admin.bearer, json={"name": "Nightly"}), same_name),
    ):
        assert (response.status_code, response.json()) == (409, refusal)
    assert api_client_rows(database) == before


@pytest.mark.parametrize("way", ["form", "Basic, raw", "Basic, form-encoded", "v2"])
@pytest.mark.parametrize(
    "client_id", ["client:dai:agent:integration", ":", "a+b%3Ac", "=1+1", "'\"\\,;#", "x" * 255]
)
def test_a_chosen_id_gets_a_token(client: TestClient, admin: Person, client_id: str, way: str) -> None:
    issued = made(create(client, admin, client_id=client_id))
    assert issued["client_id"] == client_id
    secret = issued["client_secret"]
    if way == "form":
        response = grant(client, issued)
    elif way == "v2":
        response = client.post("/api/v2/auth", json={"client_id": client_id, "client_secret": secret})
    else:
        spelled = quote(client_id, safe="") if "encoded" in way else client_id
        pair = base64.b64encode(f"{spelled}:{secret}".encode()).decode()
        form = {"grant_type": "client_credentials"}
        response = client.post(TOKENS, data=form, headers={"Authorization": f"Basic {pair}"})
    token = made(response)["access_token"]
    assert client.get("/ai/agents", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_what_may_change_and_what_stays(client: TestClient, admin: Person) -> None:
    issued = made(create(client, admin, description="old", redirect_uris=[CALLBACK]))
    change = {
        "name": "Weekly",
        "role": "agent",
        "client_id": "x",
        "grants": ["password"],
        "description": None,
    }
    response = client.patch(f"{CLIENTS}/1", headers=admin.bearer, json=change)
    expected = {**issued, "name": "Weekly"}
    del expected["client_secret"], expected["token_url"]
    assert made(response) == expected
    change = {"name": "Weekly", "description": "", "redirect_uris": []}
    response = client.patch(f"{CLIENTS}/1", headers=admin.bearer, json=change)
    assert made(response) == {**expected, "description": "", "redirect_uris": []}
    assert client.get("/ai/agents", headers=bearer(client, issued)).status_code == 200


@pytest.mark.parametrize("body", [{"name": ""}, {"redirect_uris": ["x"]}, {"description": "x" * 1001}])
def test_a_change_that_cannot_be_changes_nothing(
    client: TestClient, admin: Person, body: dict[str, Any]
) -> None:
    made(create(client, admin))
    before = client.get(f"{CLIENTS}/1", headers=admin.bearer).json()
    assert client.patch(f"{CLIENTS}/1", headers=admin.bearer, json=body).status_code == 400
    assert client.get(f"{CLIENTS}/1", headers=admin.bearer).json() == before
