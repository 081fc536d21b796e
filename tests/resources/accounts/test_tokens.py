"""The token endpoint, and logging in and out over /ai/auth."""

import base64
import json
from typing import Any

import pytest

from tests.conftest import PASSWORD, Person, Program
from tests.inprocess import TestClient

TOKEN = "/auth/realms/eggplant/protocol/openid-connect/token"


def _grant(client: TestClient, **fields: str):
    return client.post(TOKEN, data={"grant_type": "client_credentials", **fields})


def test_client_credentials_answer_as_the_published_page_shows(client: TestClient, ci: Program) -> None:
    response = _grant(client, client_id=ci.client_id, client_secret=ci.secret)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    token, state = body.pop("access_token"), body.pop("session_state")
    assert body == {
        "expires_in": 300,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": "email template:dai:agents profile",
    }
    assert len(state) == 36
    assert client.get("/ai/agents", headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_a_token_says_rs256_and_whose_it_is(client: TestClient, ci: Program) -> None:
    token = _grant(client, client_id=ci.client_id, client_secret=ci.secret).json()["access_token"]
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    assert header.keys() == {"alg", "typ", "kid"}
    assert header["alg"] == "RS256"
    assert claims["iss"] == "http://testserver/auth/realms/eggplant"
    assert claims["sub"] == f"client:{ci.id}"
    assert claims["exp"] - claims["iat"] == 300
    assert claims["realm_access"] == {"roles": ["admin"]}


@pytest.mark.parametrize("encode", [str, lambda text: text.replace("-", "%2D")], ids=["raw", "form-encoded"])
def test_basic_authentication_works_raw_and_form_encoded(client: TestClient, ci: Program, encode) -> None:
    pair = base64.b64encode(f"{encode(ci.client_id)}:{encode(ci.secret)}".encode()).decode()
    response = client.post(
        TOKEN, data={"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {pair}"}
    )
    assert response.status_code == 200


def test_empty_parameters_are_ignored(client: TestClient, ci: Program) -> None:
    response = _grant(
        client, client_id=ci.client_id, client_secret=ci.secret, username="", password="", code=""
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"client_id": "ci-id", "client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "unknown", "client_secret": "wrong"}, 401, "invalid_client"),
        ({}, 401, "invalid_client"),
        ({"grant_type": "implicit"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"client_id": "a\0b", "client_secret": "x"}, 400, "invalid_request"),
        ({"client_id": "x" * 5000, "client_secret": "x"}, 400, "invalid_request"),
    ],
)
def test_a_refused_grant_says_why_by_rfc_6749(
    client: TestClient, ci: Program, fields: dict[str, str], status: int, error: str
) -> None:
    response = _grant(client, **fields)
    assert response.status_code == status
    assert response.json()["error"] == error
    assert response.json().keys() == {"error", "error_description"}


def test_a_duplicate_parameter_is_an_invalid_request(client: TestClient, ci: Program) -> None:
    body = f"grant_type=client_credentials&client_id={ci.client_id}&client_id=x&client_secret={ci.secret}"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    response = client.post(TOKEN, content=body, headers=kind)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_json_at_the_token_endpoint_is_a_clear_error(client: TestClient, ci: Program) -> None:
    response = client.post(TOKEN, json={"grant_type": "client_credentials"})
    assert response.status_code == 400
    assert "application/x-www-form-urlencoded" in response.json()["error_description"]


def test_another_realm_is_not_found(client: TestClient, ci: Program) -> None:
    response = client.post(TOKEN.replace("eggplant", "other"), data={"grant_type": "client_credentials"})
    assert response.status_code == 404


def test_the_password_grant_gives_a_users_token(client: TestClient, ci: Program, alice: Person) -> None:
    response = _grant(
        client,
        grant_type="password",
        client_id=ci.client_id,
        client_secret=ci.secret,
        username="alice",
        password=PASSWORD,
    )
    assert response.status_code == 200
    bearer = {"Authorization": f"Bearer {response.json()['access_token']}"}
    assert client.get("/ai/auth", headers=bearer).json()["payload"]["user"]["username"] == "alice"


def test_the_password_grant_needs_the_right_password_and_an_administrators_client(
    client: TestClient, ci: Program, lab: Program, alice: Person
) -> None:
    for program, password, status, error in (
        (ci, "wrong", 401, "invalid_grant"),
        (lab, PASSWORD, 400, "unauthorized_client"),
    ):
        response = _grant(
            client,
            grant_type="password",
            client_id=program.client_id,
            client_secret=program.secret,
            username="alice",
            password=password,
        )
        assert (response.status_code, response.json()["error"]) == (status, error)


@pytest.mark.parametrize("medium", ["data", "json"])
def test_logging_in_answers_the_user_and_a_token(client: TestClient, alice: Person, medium: str) -> None:
    credentials = {"username": "alice", "password": PASSWORD}
    given: dict[str, Any] = {medium: credentials}
    response = client.post("/ai/auth", **given)
    assert response.status_code == 200
    body = response.json()
    bearer = {"Authorization": f"Bearer {body.pop('access_token')}"}
    assert body == {
        "id": alice.id,
        "username": "alice",
        "role": "User",
        "groups": [
            {"id": body["groups"][0]["id"], "name": "alice"},
            {"id": body["groups"][1]["id"], "name": "shop"},
        ],
        "hide_welcome_popup": False,
        "expires_in": 3600,
        "token_type": "Bearer",
    }
    assert client.get("/ai/models", headers=bearer).json() == []


@pytest.mark.parametrize(
    ("username", "password"), [("alice", "wrong"), ("nobody at all", PASSWORD), ("alice", "")]
)
def test_a_failed_login_is_404_in_the_same_words(
    client: TestClient, alice: Person, username: str, password: str
) -> None:
    response = client.post("/ai/auth", json={"username": username, "password": password})
    assert response.status_code == 404
    assert response.json() == {"message": "The username or the password is wrong."}


def test_asking_about_a_token_tells_what_is_in_it(client: TestClient, alice: Person) -> None:
    body = client.get("/ai/auth", headers=alice.bearer).json()
    assert f"Bearer {body['access_token']}" == alice.bearer["Authorization"]
    assert 0 < body["expires_in"] <= 3600
    assert body["payload"]["user"] == {"username": "alice", "role": "user", "is_service": False}
    assert body["payload"]["iss"] == "http://testserver/auth/realms/eggplant"


def test_logging_out_ends_the_token(client: TestClient, alice: Person) -> None:
    assert client.delete("/ai/auth", headers=alice.bearer).json() == {}
    assert client.get("/ai/models", headers=alice.bearer).status_code == 401
    assert client.get("/ai/auth", headers=alice.bearer).status_code == 404
    assert client.delete("/ai/auth", headers=alice.bearer).status_code == 404
