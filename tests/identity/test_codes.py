"""Authorization codes: exchanged once, by the program they were made for, with the verifier of PKCE."""

import base64
import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from opendai import tables
from opendai.api.server import Server
from opendai.auth.logins import hash_secret
from opendai.database import Database, database_clock
from opendai.errors import Problem
from tests.arranging.logging_in import VERIFIER, Portal, begin_browser_session, claims_of, make_portal
from tests.arranging.racing import at_once
from tests.conftest import PASSWORD, Person
from tests.inprocess import TestClient

INVALID = (400, {"error": "invalid_grant", "error_description": "Code not valid"})


@pytest.fixture
def portal(app: Server, client: TestClient, alice: Person) -> Portal:
    return make_portal(app, client, alice)


def refusal(response: Any) -> tuple[int, Any]:
    return response.status_code, response.json()


@pytest.mark.parametrize("is_public", [True, False], ids=["public", "confidential"])
def test_a_code_is_exchanged_for_every_token(
    app: Server, client: TestClient, alice: Person, is_public: bool
) -> None:
    portal = make_portal(app, client, alice, is_public=is_public)
    response = portal.exchange(portal.code(scope="openid unknown"))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    (login,) = portal.logins()
    texts = {name: body.pop(name) for name in ("access_token", "refresh_token", "id_token")}
    assert body == {
        "expires_in": 300,
        "refresh_expires_in": 1800,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "session_state": login.id,
        "scope": "openid email template:dai:agents profile",
    }
    assert portal.is_accepted(texts)
    payload = texts["refresh_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert (claims["typ"], claims["sid"], claims["generation"]) == ("Refresh", login.id, 0)
    assert (login.user_id, login.generation, login.scope) == (alice.id, 0, body["scope"])


def test_an_id_token_tells_the_program_who_logged_in(portal: Portal, database: Database) -> None:
    answer = portal.log_in(scope="openid", nonce="what the page was given")
    with database.reading() as session:
        authenticated = session.scalars(select(tables.BrowserSession.authenticated)).one()
    claims, access = claims_of(answer["id_token"]), claims_of(answer["access_token"])
    half = hashlib.sha256(answer["access_token"].encode()).digest()[:16]
    assert claims.pop("jti") != access["jti"]
    assert access["realm_access"] == {"roles": ["user"]}
    assert claims == {
        "iss": "http://testserver/auth/realms/eggplant",
        "sub": f"user:{portal.person.id}",
        "aud": "portal-id",
        "azp": "portal-id",
        "typ": "ID",
        "iat": access["iat"],
        "exp": access["exp"],
        "auth_time": int(authenticated),
        "sid": answer["session_state"],
        "nonce": "what the page was given",
        "preferred_username": "alice",
        "acr": "1",
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
    }


def test_without_openid_there_is_no_id_token(portal: Portal) -> None:
    answer = portal.log_in(scope="profile")
    assert answer["scope"] == "email template:dai:agents profile"
    assert "id_token" not in answer


def test_without_the_grant_there_is_no_refresh_token(app: Server, client: TestClient, alice: Person) -> None:
    answer = make_portal(app, client, alice, grants=("authorization_code",)).log_in()
    assert "refresh_token" not in answer
    assert answer["refresh_expires_in"] == 0


def test_a_code_is_kept_as_its_hash_for_a_minute(portal: Portal, database: Database) -> None:
    code = portal.code()
    with database.reading() as session:
        row = session.scalars(select(tables.AuthorizationCode)).one()
        seconds = row.expires - (session.scalar(select(database_clock())) or 0.0)
    assert len(base64.urlsafe_b64decode(code + "=")) == 32
    assert row.code_sha256 == hash_secret(code)
    assert 55 < seconds <= 60


def test_a_code_that_comes_again_ends_its_login(portal: Portal) -> None:
    code = portal.code()
    answer = portal.exchange(code).json()
    assert portal.is_accepted(answer)
    assert refusal(portal.exchange(code)) == INVALID
    assert not portal.is_accepted(answer)
    assert portal.logins() == []
    assert portal.refresh(answer["refresh_token"]).status_code == 400


def test_a_code_that_comes_again_after_its_minute_ends_its_login_too(
    portal: Portal, database: Database
) -> None:
    code = portal.code()
    answer = portal.exchange(code).json()
    with database.reading() as session:
        row = session.scalars(select(tables.AuthorizationCode)).one()
        assert row.expires > (session.scalar(select(database_clock())) or 0.0) + 35_000
    portal.exchange(code)
    assert not portal.is_accepted(answer)


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_verifier": "another-verifier-of-the-unreserved-characters-0123456789"},
        {"code_verifier": ""},
        {"redirect_uri": "https://portal.example/callback/"},
        {"redirect_uri": "https://portal.example/callback?x=1"},
        {"redirect_uri": ""},
    ],
)
def test_a_code_with_anything_wrong_is_used_up(portal: Portal, wrong: dict[str, str]) -> None:
    code = portal.code()
    assert refusal(portal.exchange(code, **wrong)) == INVALID
    assert refusal(portal.exchange(code)) == INVALID
    assert portal.logins() == []


@pytest.mark.parametrize(
    "verifier", ["a" * 42, "a" * 129, "a" * 42 + "+", "a" * 43 + "\n", "é" * 43], ids=str.__len__
)
def test_a_verifier_is_43_to_128_unreserved_characters(portal: Portal, verifier: str) -> None:
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    response = portal.exchange(portal.code(challenge=challenge), code_verifier=verifier)
    assert refusal(response) == INVALID


def test_the_challenge_itself_is_no_verifier(portal: Portal) -> None:
    assert refusal(portal.exchange(portal.code(challenge=VERIFIER[:43]), code_verifier=VERIFIER)) == INVALID


def test_another_program_cannot_use_a_code_and_uses_it_up(
    app: Server, client: TestClient, alice: Person, portal: Portal
) -> None:
    other = make_portal(app, client, alice, name="other", is_public=False)
    code = portal.code()
    assert refusal(other.exchange(code)) == INVALID
    assert refusal(portal.exchange(code)) == INVALID


def test_who_is_not_the_program_does_not_use_up_its_code(
    app: Server, client: TestClient, alice: Person
) -> None:
    portal = make_portal(app, client, alice, is_public=False)
    code = portal.code()
    for secret in ("wrong", ""):
        response = portal.exchange(code, client_secret=secret)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert portal.exchange(code).status_code == 200


def test_a_code_ends_with_its_time(portal: Portal, database: Database) -> None:
    code = portal.code()
    with database.writing() as session:
        session.execute(update(tables.AuthorizationCode).values(expires=database_clock()))
    assert refusal(portal.exchange(code)) == INVALID


@pytest.mark.parametrize("end", ["logout", "expiry", "new password", "deletion"])
def test_a_code_ends_with_its_browser_session(
    portal: Portal, client: TestClient, admin: Person, alice: Person, database: Database, end: str
) -> None:
    code = portal.code()
    with database.writing() as session:
        if end == "logout":
            session.execute(delete(tables.BrowserSession))
        if end == "expiry":
            session.execute(update(tables.BrowserSession).values(expires=database_clock()))
    if end == "new password":
        client.put(f"/ai/users/{alice.id}", headers=admin.bearer, json={"password": PASSWORD})
    if end == "deletion":
        client.delete(f"/ai/users/{alice.id}", headers=admin.bearer)
    assert refusal(portal.exchange(code)) == INVALID
    assert portal.logins() == []


def test_a_login_ends_with_its_browser_session_at_the_latest(portal: Portal, database: Database) -> None:
    with database.writing() as session:
        browser_session = begin_browser_session(session, portal.person.id, lifetime=100)
    answer = portal.log_in(browser_session=browser_session)
    assert 95 < answer["refresh_expires_in"] <= 100
    assert answer["expires_in"] == answer["refresh_expires_in"]


@pytest.mark.parametrize("code", ["unknown", "x" * 4096, "' OR 1=1 --", "é\u2028"])
def test_a_code_that_never_was_is_refused(portal: Portal, code: str) -> None:
    assert refusal(portal.exchange(code)) == INVALID


def test_no_code_is_an_invalid_request(portal: Portal) -> None:
    response = portal.exchange("")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("scope", ['"', "a\\b", "a\tb", "é"])
def test_a_code_is_not_made_for_a_malformed_scope(portal: Portal, scope: str) -> None:
    with pytest.raises(Problem, match="scope"):
        portal.code(scope=scope)


@pytest.mark.slow
def test_of_many_exchanges_of_one_code_at_once_one_gets_tokens(portal: Portal) -> None:
    for _ in range(5):
        code = portal.code()
        responses = at_once(*[lambda code=code: portal.exchange(code)] * 6)
        assert sorted(response.status_code for response in responses) == [200] + [400] * 5
        # The others have shown it a second time.
        answer = next(response.json() for response in responses if response.status_code == 200)
        assert not portal.is_accepted(answer)
