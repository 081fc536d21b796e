"""Asking whether a token is good, by programs that were handed one."""

from typing import Any

import pytest
from sqlalchemy import update

from opendai import tables
from opendai.api.server import Server
from opendai.database import Database, database_clock
from tests.arranging.logging_in import OPENID, Portal, claims_of, make_portal
from tests.conftest import Person, Program
from tests.inprocess import TestClient

INACTIVE = {"active": False}


@pytest.fixture
def portal(app: Server, client: TestClient, alice: Person) -> Portal:
    return make_portal(app, client, alice, is_public=False)


def introspect(client: TestClient, program: Program, token: str, **fields: str) -> Any:
    form = {"token": token, "client_id": program.client_id, "client_secret": program.secret, **fields}
    response = client.post(f"{OPENID}/token/introspect", data=form)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    return response.json()


def token_of(person: Person) -> str:
    return person.bearer["Authorization"].removeprefix("Bearer ")


def test_a_persons_token_is_told_with_the_role_of_now(
    client: TestClient, portal: Portal, admin: Person, lab: Program
) -> None:
    answer = portal.log_in()
    claims = claims_of(answer["access_token"])
    expected = {
        "active": True,
        "sub": f"user:{portal.person.id}",
        "username": "alice",
        "client_id": "portal-id",
        "azp": "portal-id",
        "exp": claims["exp"],
        "iat": claims["iat"],
        "iss": "http://testserver/auth/realms/eggplant",
        "aud": "account",
        "jti": claims["jti"],
        "typ": "Bearer",
        "token_type": "Bearer",
        "scope": "email template:dai:agents profile",
        "sid": answer["session_state"],
        "realm_access": {"roles": ["user"]},
    }
    assert introspect(client, lab, answer["access_token"]) == expected
    client.put(f"/ai/users/{portal.person.id}", headers=admin.bearer, json={"role": "Admin"})
    roles = introspect(client, lab, answer["access_token"])["realm_access"]["roles"]
    assert roles == ["admin"]


def test_a_programs_token_is_told(client: TestClient, ci: Program, lab: Program) -> None:
    said = introspect(client, lab, token_of(ci))
    assert (said["sub"], said["username"], said["client_id"]) == (
        f"client:{ci.id}",
        "service-account-ci-id",
        "ci-id",
    )
    assert said["realm_access"] == {"roles": ["admin"]}


def test_a_token_of_ai_auth_has_no_client(client: TestClient, alice: Person, lab: Program) -> None:
    said = introspect(client, lab, token_of(alice))
    assert said["active"] is True
    assert not {"client_id", "azp", "scope"} & said.keys()


def test_a_refresh_token_is_told_to_its_program_and_not_used_by_that(portal: Portal) -> None:
    answer = portal.log_in()
    said = portal.ask("token/introspect", token=answer["refresh_token"]).json()
    assert 1795 < said.pop("exp") - said.pop("iat") <= 1800
    assert said == {
        "active": True,
        "sub": f"user:{portal.person.id}",
        "username": "alice",
        "client_id": "portal-id",
        "azp": "portal-id",
        "iss": "http://testserver/auth/realms/eggplant",
        "aud": "http://testserver/auth/realms/eggplant",
        "typ": "Refresh",
        "token_type": "Refresh",
        "scope": "email template:dai:agents profile",
        "sid": answer["session_state"],
        "realm_access": {"roles": ["user"]},
    }
    assert portal.logins()[0].generation == 0


def test_a_refresh_token_is_good_as_long_as_it_could_be_used(portal: Portal, database: Database) -> None:
    token = portal.log_in()["refresh_token"]
    portal.refresh(token)
    assert portal.ask("token/introspect", token=token).json()["active"] is True
    for values in ({"rotated": database_clock() - 6}, {"generation": 0, "expires": database_clock()}):
        with database.writing() as session:
            session.execute(update(tables.Login).values(**values))
        assert portal.ask("token/introspect", token=token).json() == INACTIVE
    assert len(portal.logins()) == 1


def test_what_is_not_good_is_inactive_and_no_more(
    client: TestClient, portal: Portal, alice: Person, ci: Program, lab: Program
) -> None:
    answer = portal.log_in(scope="openid")
    texts = [answer["refresh_token"], answer["id_token"], "x.y.z", "x" * 4096, "é"]
    client.delete("/ai/auth", headers=alice.bearer)
    texts.append(token_of(alice))
    portal.ask("revoke", token=answer["access_token"])
    texts.append(answer["access_token"])
    for text in texts:
        assert introspect(client, lab, text) == INACTIVE, text


def test_a_hint_changes_nothing(client: TestClient, ci: Program, lab: Program) -> None:
    for hint in ("access_token", "refresh_token", "nonsense"):
        assert introspect(client, lab, token_of(ci), token_type_hint=hint)["active"] is True


@pytest.mark.parametrize("fields", [{}, {"client_id": "public-id"}, {"client_id": "lab-id"}])
def test_who_does_not_prove_to_be_a_client_is_told_nothing(
    app: Server, client: TestClient, alice: Person, lab: Program, fields: dict[str, str]
) -> None:
    make_portal(app, client, alice, name="public")
    response = client.post(f"{OPENID}/token/introspect", data={"token": token_of(alice), **fields})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_no_token_is_an_invalid_request(portal: Portal) -> None:
    response = portal.ask("token/introspect")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
