"""Which client may use which grant, how it says who it is, and logging in by password."""

import base64
from typing import Any

import pytest
from sqlalchemy import select, update

from opendai import tables
from opendai.api.server import Server
from opendai.auth.logins import begin_login
from opendai.database import Database
from tests.arranging.logging_in import TOKEN, Portal, bearer, claims_of, make_portal
from tests.conftest import PASSWORD, MakeProgram, Person, Program
from tests.inprocess import TestClient

EVERY_GRANT = ("client_credentials", "password", "authorization_code", "refresh_token")


@pytest.fixture
def portal(app: Server, client: TestClient, alice: Person) -> Portal:
    return make_portal(app, client, alice, grants=("password", "refresh_token"), is_public=False)


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def log_in(portal: Portal, **fields: str) -> Any:
    return portal.grant("password", username="alice", password=PASSWORD, **fields)


@pytest.mark.parametrize("grant", EVERY_GRANT)
def test_a_grant_that_the_client_has_not_is_refused(
    app: Server, client: TestClient, alice: Person, grant: str
) -> None:
    others = tuple(other for other in EVERY_GRANT if other != grant)
    portal = make_portal(app, client, alice, grants=others, is_public=False)
    assert refusal(portal.grant(grant)) == (400, "unauthorized_client")


def test_a_client_without_a_secret_gets_no_token_of_its_own(
    app: Server, client: TestClient, alice: Person
) -> None:
    portal = make_portal(app, client, alice, grants=EVERY_GRANT)
    assert refusal(portal.grant("client_credentials")) == (400, "unauthorized_client")


@pytest.mark.parametrize("is_public", [True, False])
def test_a_client_with_the_wrong_kind_of_proof_is_refused(
    app: Server, client: TestClient, alice: Person, is_public: bool
) -> None:
    portal = make_portal(app, client, alice, grants=EVERY_GRANT, is_public=is_public)
    fields = {"client_id": "portal-id"} | ({"client_secret": "anything"} if is_public else {})
    response = client.post(TOKEN, data={"grant_type": "client_credentials", **fields})
    assert refusal(response) == (401, "invalid_client")
    for secret in ("", "anything"):
        response = client.post(
            TOKEN, data={"grant_type": "client_credentials"}, headers=basic("portal-id", secret)
        )
        assert refusal(response) == (401, "invalid_client")
    assert portal.logins() == []


@pytest.mark.parametrize("is_public", [True, False])
def test_a_revoked_client_is_nobody(
    app: Server, client: TestClient, alice: Person, database: Database, is_public: bool
) -> None:
    portal = make_portal(app, client, alice, is_public=is_public)
    answer, code = portal.log_in(), portal.code()
    with database.writing() as session:
        session.execute(update(tables.ApiClient).values(revoked_at=tables.ApiClient.created_at))
    assert refusal(portal.exchange(code)) == (401, "invalid_client")
    assert refusal(portal.refresh(answer["refresh_token"])) == (401, "invalid_client")


def test_a_challenge_is_sent_to_those_who_use_basic(client: TestClient, ci: Program) -> None:
    form = {"grant_type": "client_credentials", "client_id": ci.client_id, "client_secret": "wrong"}
    asked = {
        "form": client.post(TOKEN, data=form),
        "bearer": client.post(TOKEN, data=form, headers=bearer("x.y.z")),
        "basic": client.post(TOKEN, data=form, headers=basic(ci.client_id, "wrong")),
    }
    assert {name: response.headers.get("www-authenticate") for name, response in asked.items()} == {
        "form": None,
        "bearer": None,
        "basic": 'Basic realm="eggplant"',
    }
    assert {refusal(response) for response in asked.values()} == {(401, "invalid_client")}
    assert {response.headers["cache-control"] for response in asked.values()} == {"no-store"}


@pytest.mark.parametrize(
    "credentials",
    ["a\0b:secret", "a%00b:secret", ":", "", "no colon", ":" * 3000, "é:é"],
    ids=repr,
)
def test_basic_that_says_nothing_is_an_invalid_client(client: TestClient, credentials: str) -> None:
    header = {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}
    response = client.post(TOKEN, data={"grant_type": "client_credentials"}, headers=header)
    assert refusal(response) == (401, "invalid_client")


@pytest.mark.parametrize("encoded", ["???", "w6", "/w==", "é"])
def test_basic_that_cannot_be_decoded_is_an_invalid_client(client: TestClient, encoded: str) -> None:
    headers = {b"Authorization": f"Basic {encoded}".encode()}
    response = client.post(TOKEN, data={"grant_type": "client_credentials"}, headers=headers)
    assert refusal(response) == (401, "invalid_client")


@pytest.mark.parametrize("client_id", ["client:dai:agent:integration", "a:b"])
def test_an_id_with_colons_works_in_basic(
    app: Server, client: TestClient, make_program: MakeProgram, client_id: str
) -> None:
    program = make_program("colons", "agent")
    database: Database = app.state.parts.database
    with database.writing() as session:
        session.execute(update(tables.ApiClient).values(client_id=client_id))
    for name in (client_id, client_id.replace(":", "%3A")):
        response = client.post(
            TOKEN, data={"grant_type": "client_credentials"}, headers=basic(name, program.secret)
        )
        assert response.status_code == 200


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded; charset=utf-8", "Application/X-WWW-Form-Urlencoded"],
)
def test_a_form_is_a_form_however_its_kind_is_written(client: TestClient, ci: Program, kind: str) -> None:
    body = f"grant_type=client_credentials&client_id={ci.client_id}&client_secret={ci.secret}"
    assert client.post(TOKEN, content=body, headers={"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencodedx", "multipart/form-data", "text/plain"])
def test_what_is_not_a_form_is_an_invalid_request(client: TestClient, ci: Program, kind: str) -> None:
    body = f"grant_type=client_credentials&client_id={ci.client_id}&client_secret={ci.secret}"
    response = client.post(TOKEN, content=body, headers={"Content-Type": kind})
    assert refusal(response) == (400, "invalid_request")
    assert "application/x-www-form-urlencoded" in response.json()["error_description"]


@pytest.mark.parametrize("grant", ["client_credentials", "password"])
def test_a_malformed_scope_is_refused(app: Server, client: TestClient, alice: Person, grant: str) -> None:
    portal = make_portal(app, client, alice, grants=EVERY_GRANT, is_public=False)
    for scope in ('"', "a\\b", "a\tb", "é"):
        response = portal.grant(grant, username="alice", password=PASSWORD, scope=scope)
        assert refusal(response) == (400, "invalid_scope")
    assert portal.logins() == []


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("", "email template:dai:agents profile"),
        ("profile", "email template:dai:agents profile"),
        ("offline_access  unknown", "email template:dai:agents profile"),
        ("unknown openid", "openid email template:dai:agents profile"),
        ("openidx", "email template:dai:agents profile"),
    ],
)
def test_the_default_scopes_are_always_granted(portal: Portal, scope: str, granted: str) -> None:
    answer = log_in(portal, scope=scope).json()
    assert answer["scope"] == granted
    assert ("id_token" in answer) == granted.startswith("openid")


def test_a_password_brings_a_login_with_a_refresh_token(portal: Portal) -> None:
    answer = log_in(portal, scope="openid").json()
    (login,) = portal.logins()
    assert (answer["expires_in"], answer["refresh_expires_in"]) == (300, 1800)
    assert answer["session_state"] == login.id == claims_of(answer["access_token"])["sid"]
    assert claims_of(answer["id_token"])["auth_time"] == int(login.authenticated)
    assert "nonce" not in claims_of(answer["id_token"])
    assert portal.refresh(answer["refresh_token"]).status_code == 200


def test_a_password_without_the_grant_to_refresh_brings_an_access_token_alone(
    client: TestClient, ci: Program, alice: Person, database: Database
) -> None:
    form = {"grant_type": "password", "username": "alice", "password": PASSWORD}
    answer = client.post(TOKEN, data={**form, "client_id": ci.client_id, "client_secret": ci.secret}).json()
    assert answer.keys() == {
        "access_token",
        "expires_in",
        "refresh_expires_in",
        "token_type",
        "session_state",
        "not-before-policy",
        "scope",
    }
    assert (answer["expires_in"], answer["refresh_expires_in"]) == (300, 0)
    with database.reading() as session:
        login = session.get_one(tables.Login, answer["session_state"])
    assert round(login.expires - login.authenticated) == 300


def test_no_login_begins_for_a_password_that_was_changed_in_the_meantime(
    client: TestClient, admin: Person, alice: Person, database: Database
) -> None:
    with database.reading() as session:
        user = session.get_one(tables.User, alice.id)
    client.put(f"/ai/users/{alice.id}", headers=admin.bearer, json={"password": PASSWORD})
    with database.writing() as session:
        assert begin_login(session, user, lifetime=60) is None


def test_no_login_begins_through_a_client_that_was_deleted_in_the_meantime(
    portal: Portal, database: Database
) -> None:
    with database.writing() as session:
        program = session.get_one(tables.ApiClient, portal.id)
        user = session.get_one(tables.User, portal.person.id)
        session.delete(program)
    with database.writing() as session:
        assert begin_login(session, user, lifetime=60, client=program) is None
        assert session.scalars(select(tables.Login).where(tables.Login.client_id == portal.id)).all() == []


def test_a_program_through_which_people_log_in_has_no_rights(
    app: Server, client: TestClient, alice: Person
) -> None:
    portal = make_portal(app, client, alice, grants=("client_credentials",), is_public=False)
    response = portal.grant("client_credentials")
    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")
