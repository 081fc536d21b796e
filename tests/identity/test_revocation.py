"""Giving tokens back."""

import pytest
from sqlalchemy import select

from opendai import tables
from opendai.api.server import Server
from opendai.database import Database
from tests.arranging.logging_in import OPENID, Portal, bearer, claims_of, make_portal
from tests.arranging.racing import at_once
from tests.conftest import Person, Program
from tests.inprocess import TestClient


@pytest.fixture(params=[True, False], ids=["public", "confidential"])
def portal(request: pytest.FixtureRequest, app: Server, client: TestClient, alice: Person) -> Portal:
    return make_portal(app, client, alice, is_public=request.param)


def revoke(portal: Portal, token: str, **fields: str) -> None:
    response = portal.ask("revoke", token=token, **fields)
    assert (response.status_code, response.content) == (200, b"")


def audited(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(tables.AuditEvent.action).order_by(tables.AuditEvent.id)))


def test_an_access_token_ends_alone(portal: Portal, database: Database) -> None:
    answer = portal.log_in()
    for _ in range(2):
        revoke(portal, answer["access_token"])
    assert audited(database) == ["login", "token.revoke"]
    assert not portal.is_accepted(answer)
    assert portal.is_accepted(portal.refresh(answer["refresh_token"]).json())
    with database.reading() as session:
        (row,) = session.scalars(select(tables.RevokedToken))
    claims = claims_of(answer["access_token"])
    assert (row.jti, row.expires) == (claims["jti"], claims["exp"])


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_a_refresh_token_ends_its_login(portal: Portal, hint: str, database: Database) -> None:
    answer = portal.log_in()
    for _ in range(2):
        revoke(portal, answer["refresh_token"], token_type_hint=hint)
    assert audited(database) == ["login", "logout"]
    assert not portal.is_accepted(answer)
    assert portal.refresh(answer["refresh_token"]).status_code == 400
    assert portal.logins() == []


def test_an_old_refresh_token_ends_its_login_too(portal: Portal) -> None:
    answer = portal.log_in()
    newest = portal.refresh(answer["refresh_token"]).json()
    revoke(portal, answer["refresh_token"])
    assert not portal.is_accepted(newest)


def test_a_program_ends_its_own_token(client: TestClient, ci: Program) -> None:
    form = {"client_id": ci.client_id, "client_secret": ci.secret}
    token = ci.bearer["Authorization"].removeprefix("Bearer ")
    assert client.post(f"{OPENID}/revoke", data={"token": token, **form}).status_code == 200
    assert client.get("/ai/models", headers=ci.bearer).status_code == 401


def test_what_is_not_a_token_of_the_program_stays_as_it_is(
    app: Server, client: TestClient, alice: Person, ci: Program, portal: Portal, database: Database
) -> None:
    other = make_portal(app, client, alice, name="other")
    answer = other.log_in()
    own = alice.bearer["Authorization"].removeprefix("Bearer ")
    programs = ci.bearer["Authorization"].removeprefix("Bearer ")
    for text in (answer["access_token"], answer["refresh_token"], own, programs, "x.y.z", "é", "x" * 4096):
        revoke(portal, text)
    assert other.is_accepted(answer)
    assert other.refresh(answer["refresh_token"]).status_code == 200
    for token in (own, programs):
        assert client.get("/ai/models", headers=bearer(token)).status_code == 200
    with database.reading() as session:
        assert session.scalars(select(tables.RevokedToken)).all() == []


def test_who_is_not_a_client_ends_nothing(app: Server, client: TestClient, alice: Person) -> None:
    portal = make_portal(app, client, alice, is_public=False)
    answer = portal.log_in()
    for fields in ({}, {"client_id": "portal-id"}, {"client_id": "portal-id", "client_secret": "wrong"}):
        response = client.post(f"{OPENID}/revoke", data={"token": answer["access_token"], **fields})
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert portal.is_accepted(answer)


def test_no_token_is_an_invalid_request(portal: Portal) -> None:
    response = portal.ask("revoke")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.slow
def test_a_token_that_is_revoked_many_times_at_once_ends(portal: Portal) -> None:
    for _ in range(5):
        answer = portal.log_in()
        calls = [lambda answer=answer: portal.ask("revoke", token=answer["access_token"])] * 6
        assert {response.status_code for response in at_once(*calls)} == {200}
        assert not portal.is_accepted(answer)
