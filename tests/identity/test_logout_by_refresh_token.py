"""Logging out by a refresh token."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from opendai import tables
from opendai.api.server import Server
from opendai.database import Database
from tests.arranging.logging_in import OPENID, Portal, begin_browser_session, make_portal
from tests.arranging.racing import at_once
from tests.conftest import PASSWORD, Person
from tests.inprocess import TestClient


@pytest.fixture(params=[True, False], ids=["public", "confidential"])
def portal(request: pytest.FixtureRequest, app: Server, client: TestClient, alice: Person) -> Portal:
    return make_portal(app, client, alice, is_public=request.param)


def browser_sessions(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(tables.BrowserSession.id)))


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def test_logging_out_ends_every_login_of_the_browser_session(
    app: Server, client: TestClient, alice: Person, portal: Portal, database: Database
) -> None:
    other = make_portal(app, client, alice, name="other")
    with database.writing() as session:
        ended, kept = (begin_browser_session(session, alice.id) for _ in range(2))
    first, second = portal.log_in(browser_session=ended), other.log_in(browser_session=ended)
    elsewhere = portal.log_in(browser_session=kept)
    response = portal.ask("logout", refresh_token=first["refresh_token"])
    assert (response.status_code, response.content) == (204, b"")
    assert [portal.is_accepted(answer) for answer in (first, second, elsewhere)] == [False, False, True]
    assert browser_sessions(database) == [kept]
    assert client.get("/ai/models", headers=alice.bearer).status_code == 200


def test_a_login_without_a_browser_ends_alone(
    app: Server, client: TestClient, alice: Person, database: Database
) -> None:
    grants = ("password", "refresh_token")
    portal = make_portal(app, client, alice, grants=grants, is_public=False)
    answers = [portal.grant("password", username="alice", password=PASSWORD).json() for _ in range(2)]
    assert portal.ask("logout", refresh_token=answers[0]["refresh_token"]).status_code == 204
    assert [portal.is_accepted(answer) for answer in answers] == [False, True]


def test_logging_out_twice_is_no_fault(portal: Portal) -> None:
    token = portal.log_in()["refresh_token"]
    assert [portal.ask("logout", refresh_token=token).status_code for _ in range(2)] == [204, 204]


def test_an_old_refresh_token_logs_out_too(portal: Portal) -> None:
    answer = portal.log_in()
    newest = portal.refresh(answer["refresh_token"]).json()
    assert portal.ask("logout", refresh_token=answer["refresh_token"]).status_code == 204
    assert not portal.is_accepted(newest)


def test_only_a_refresh_token_of_the_program_logs_out(
    app: Server, client: TestClient, alice: Person, portal: Portal
) -> None:
    answer = portal.log_in(scope="openid")
    other = make_portal(app, client, alice, name="other")
    assert refusal(other.ask("logout", refresh_token=answer["refresh_token"])) == (400, "invalid_grant")
    for text in (answer["access_token"], answer["id_token"], "x.y.z", "é"):
        assert refusal(portal.ask("logout", refresh_token=text)) == (400, "invalid_grant")
    assert refusal(portal.ask("logout")) == (400, "invalid_request")
    assert portal.is_accepted(answer)


def test_who_is_not_the_program_logs_nobody_out(app: Server, client: TestClient, alice: Person) -> None:
    portal = make_portal(app, client, alice, is_public=False)
    answer = portal.log_in()
    for fields in ({}, {"client_id": "portal-id"}, {"client_id": "portal-id", "client_secret": "wrong"}):
        form = {"refresh_token": answer["refresh_token"], **fields}
        assert refusal(client.post(f"{OPENID}/logout", data=form)) == (401, "invalid_client")
    assert portal.is_accepted(answer)


@pytest.mark.slow
def test_logging_out_while_others_log_in_and_refresh_leaves_no_login(
    portal: Portal, database: Database
) -> None:
    """Parents are locked before what hangs on them, or one of these would be a deadlock, and a 503."""
    for _ in range(8):
        with database.writing() as session:
            browser_session = begin_browser_session(session, portal.person.id)
        answer = portal.log_in(browser_session=browser_session)
        codes = [portal.code(browser_session=browser_session) for _ in range(3)]
        ended, refreshed, *exchanged = at_once(
            partial(portal.ask, "logout", refresh_token=answer["refresh_token"]),
            partial(portal.refresh, answer["refresh_token"]),
            *(partial(portal.exchange, code) for code in codes),
        )
        assert ended.status_code == 204
        assert {response.status_code for response in (refreshed, *exchanged)} <= {200, 400}
        assert portal.logins() == []
        assert browser_sessions(database) == []
