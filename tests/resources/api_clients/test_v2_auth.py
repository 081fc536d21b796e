"""POST /api/v2/auth, and /auth by which clients of the oldest DAI log in."""

import base64
import json
from typing import Any

import pytest
from sqlalchemy import update

from opendai import tables
from opendai.database import Database
from opendai.tables.columns import now
from tests.conftest import PASSWORD, Person, Program
from tests.inprocess import TestClient

V2 = "/api/v2/auth"
WRONG = {
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "detail": "The client id or the client secret is wrong.",
}
NOBODY = {"message": "The username or the password is wrong."}


def of(program: Program, **change: Any) -> dict[str, Any]:
    return {"client_id": program.client_id, "client_secret": program.secret, **change}


@pytest.mark.parametrize("name", ["ci", "lab"])
def test_a_client_gets_a_token_for_ten_minutes(
    client: TestClient, name: str, request: pytest.FixtureRequest
) -> None:
    program: Program = request.getfixturevalue(name)
    response = client.post(V2, json=of(program))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    token = body.pop("access_token")
    assert body == {"expires_in": 600}
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] == 600
    assert claims["sub"] == f"client:{program.id}"
    path = "/ai/agents" if name == "ci" else "/ai/status"
    assert client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"client_secret": "wrong"},
        {"client_id": "unknown"},
        {"client_id": "lab-id"},
        {"client_id": "ci-id "},
        {"client_id": "CI-ID"},
    ],
)
def test_wrong_credentials_are_a_problem(
    client: TestClient, ci: Program, lab: Program, change: dict[str, str]
) -> None:
    response = client.post(V2, json=of(ci, **change))
    assert (response.status_code, response.json()) == (401, WRONG)


def test_a_client_that_was_revoked_or_lacks_the_grant_gets_none(
    client: TestClient, ci: Program, lab: Program, database: Database
) -> None:
    row = tables.ApiClient
    with database.writing() as session:
        session.execute(update(row).where(row.id == ci.id).values(revoked_at=now()))
        session.execute(update(row).where(row.id == lab.id).values(grants=["password"]))
    for program in (ci, lab):
        response = client.post(V2, json=of(program))
        assert (response.status_code, response.json()) == (401, WRONG)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["body", "client_id"]),
        ({"client_id": "x"}, ["body", "client_secret"]),
        ({"client_id": "", "client_secret": "x"}, ["body", "client_id"]),
        ({"client_id": 1, "client_secret": "x"}, ["body", "client_id"]),
        ({"client_id": "x", "client_secret": None}, ["body", "client_secret"]),
        ({"client_id": "x" * 256, "client_secret": "x"}, ["body", "client_id"]),
        ({"client_id": "x", "client_secret": "x" * 1025}, ["body", "client_secret"]),
        ({"client_id": "a\u0000b", "client_secret": "x"}, ["body", "client_id"]),
    ],
)
def test_a_bad_body_is_worded_as_fastapi_words_it(
    client: TestClient, ci: Program, body: dict[str, Any], place: list[str]
) -> None:
    response = client.post(V2, json=body)
    assert response.status_code == 422
    (fault,) = [fault for fault in response.json()["detail"] if fault["loc"] == place]
    assert fault.keys() == {"loc", "msg", "type"}


def test_a_form_is_refused_with_the_type_that_is_taken(client: TestClient, ci: Program) -> None:
    refused = client.post(V2, data=of(ci))
    assert refused.status_code == 415
    assert refused.json()["detail"] == "The body must be application/json."


@pytest.mark.parametrize(("method", "path", "status"), [("GET", V2, 405), ("POST", "/api/v2/nothing", 404)])
def test_other_addresses_and_methods_are_problems(
    client: TestClient, method: str, path: str, status: int
) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert response.json().keys() == {"type", "title", "status", "detail"}
    assert response.json()["status"] == status


@pytest.mark.parametrize("medium", ["data", "json"])
def test_the_first_address_logs_in_and_out_as_the_present_one(
    client: TestClient, alice: Person, medium: str
) -> None:
    credentials = {"username": "alice", "password": PASSWORD}
    given: dict[str, Any] = {medium: credentials}
    response = client.post("/auth", **given)
    assert response.status_code == 200
    assert response.json().keys() == client.post("/ai/auth", json=credentials).json().keys()
    bearer = {"Authorization": f"Bearer {response.json()['access_token']}"}
    assert client.get("/ai/models", headers=bearer).json() == []
    shown = client.get("/auth", headers=bearer).json()
    assert shown["payload"]["user"] == {"username": "alice", "role": "user", "is_service": False}
    assert client.delete("/auth", headers=bearer).json() == {}
    assert client.get("/ai/models", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("POST", {"username": "alice", "password": "wrong"}, 404),
        ("POST", {"username": "stranger", "password": PASSWORD}, 404),
        ("POST", {"username": "alice"}, 400),
        ("POST", {"username": "a\u0000b", "password": "x"}, 400),
        ("POST", [1], 400),
        ("GET", None, 401),
        ("DELETE", None, 401),
        ("PUT", {}, 405),
    ],
)
def test_the_first_address_refuses_as_the_present_one(
    client: TestClient, alice: Person, method: str, body: Any, status: int
) -> None:
    response = client.request(method, "/auth", json=body)
    present = client.request(method, "/ai/auth", json=body)
    assert response.status_code == present.status_code == status
    assert response.json() == present.json()


def test_the_first_address_hides_nothing_of_openid_connect(client: TestClient, ci: Program) -> None:
    form = {"grant_type": "client_credentials", "client_id": ci.client_id, "client_secret": ci.secret}
    response = client.post("/auth/realms/eggplant/protocol/openid-connect/token", data=form)
    assert response.status_code == 200
    assert client.get("/auth/nothing").json().keys() == {"error", "error_description"}
