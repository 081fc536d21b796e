"""Refresh tokens: good once, with a moment of grace, for the program and for as long as the login."""

import base64
import json
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from opendai import tables
from opendai.api.server import Server
from opendai.database import Database, database_clock
from tests.arranging.logging_in import Portal, claims_of, make_portal
from tests.arranging.racing import at_once
from tests.conftest import PASSWORD, Person
from tests.inprocess import TestClient

INVALID = (400, {"error": "invalid_grant", "error_description": "Invalid refresh token"})


@pytest.fixture
def portal(app: Server, client: TestClient, alice: Person) -> Portal:
    return make_portal(app, client, alice)


def refusal(response: Any) -> tuple[int, Any]:
    return response.status_code, response.json()


def said_of(answer: dict[str, Any], *, generation: int) -> dict[str, Any]:
    return {"typ": "Refresh", "sid": answer["session_state"], "generation": generation}


def written(said: dict[str, Any], **how: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(said, **how).encode()).rstrip(b"=").decode()


def test_a_refresh_token_can_be_taken_apart_as_those_of_keycloak(portal: Portal) -> None:
    answer = portal.log_in()
    assert claims_of(answer["refresh_token"]) == said_of(answer, generation=0)


def change_login(database: Database, **values: Any) -> None:
    with database.writing() as session:
        session.execute(update(tables.Login).values(**values))


def test_a_refresh_token_brings_new_tokens_of_the_same_login(portal: Portal) -> None:
    first = portal.log_in(scope="openid")
    response = portal.refresh(first["refresh_token"])
    assert response.status_code == 200
    second = response.json()
    assert second.keys() == first.keys()
    assert second["access_token"] != first["access_token"]
    assert claims_of(second["refresh_token"]) == said_of(first, generation=1)
    assert claims_of(second["id_token"])["auth_time"] == claims_of(first["id_token"])["auth_time"]
    same = ("expires_in", "refresh_expires_in", "session_state", "scope")
    assert {name: second[name] for name in same} == {name: first[name] for name in same}
    assert portal.is_accepted(first)
    assert portal.is_accepted(second)


def test_the_previous_token_brings_the_same_successor_for_a_moment(portal: Portal) -> None:
    first = portal.log_in()
    answers = [portal.refresh(first["refresh_token"]).json() for _ in range(3)]
    assert len({answer["refresh_token"] for answer in answers}) == 1
    assert len({answer["access_token"] for answer in answers}) == 3
    assert portal.refresh(answers[0]["refresh_token"]).status_code == 200


def test_the_previous_token_ends_the_login_after_that_moment(portal: Portal, database: Database) -> None:
    first = portal.log_in()
    second = portal.refresh(first["refresh_token"]).json()
    change_login(database, rotated=database_clock() - 5.5)
    assert refusal(portal.refresh(first["refresh_token"])) == INVALID
    assert not portal.is_accepted(second)
    assert refusal(portal.refresh(second["refresh_token"])) == INVALID
    assert portal.logins() == []


def test_an_older_token_ends_the_login_at_once(portal: Portal) -> None:
    first = portal.log_in()
    second = portal.refresh(first["refresh_token"]).json()
    third = portal.refresh(second["refresh_token"]).json()
    assert refusal(portal.refresh(first["refresh_token"])) == INVALID
    assert not portal.is_accepted(third)
    assert portal.logins() == []


def test_a_login_ends_when_it_is_not_refreshed(portal: Portal, database: Database) -> None:
    answer = portal.log_in()
    change_login(database, expires=database_clock())
    assert refusal(portal.refresh(answer["refresh_token"])) == INVALID


def test_refreshing_pushes_the_end_of_the_login(portal: Portal, database: Database) -> None:
    answer = portal.log_in()
    change_login(database, expires=database_clock() + 10)
    assert portal.refresh(answer["refresh_token"]).json()["refresh_expires_in"] == 1800


def test_a_login_cannot_be_refreshed_beyond_its_longest(portal: Portal, database: Database) -> None:
    answer = portal.log_in()
    change_login(database, authenticated=database_clock() - 36_000 + 100)
    second = portal.refresh(answer["refresh_token"]).json()
    assert 95 < second["refresh_expires_in"] <= 100
    assert second["expires_in"] == second["refresh_expires_in"]
    change_login(database, authenticated=database_clock() - 36_001)
    assert refusal(portal.refresh(second["refresh_token"])) == INVALID


def test_a_refresh_token_is_for_its_program_alone(
    app: Server, client: TestClient, alice: Person, portal: Portal
) -> None:
    other = make_portal(app, client, alice, name="other")
    answer = portal.log_in()
    assert refusal(other.refresh(answer["refresh_token"])) == INVALID
    assert portal.refresh(answer["refresh_token"]).status_code == 200


def test_a_refresh_token_that_is_not_ours_is_refused_and_ends_nothing(portal: Portal) -> None:
    answer = portal.log_in()
    token = answer["refresh_token"]
    head, payload, seal = token.split(".")
    forged = [
        f"{head}.{written(said_of(answer, generation=1))}.{seal}",
        f"{head}.{written(said_of(answer, generation=-1))}.{seal}",
        f"{head}.{written(said_of(answer, generation=0), separators=(',', ':'))}.{seal}",
        f"{written({'alg': 'none'})}.{payload}.{seal}",
        f"{written({'alg': 'none'})}.{payload}.",
        f"{head}.{payload}.{seal[:-2]}AA",
        f"{head}.{payload}.",
        f"{head}.{payload}",
        f"{payload}.{seal}",
        f"{head}.{payload}=.{seal}",
        f"{token}\n",
        f" {token}",
        f"{token}=",
        answer["access_token"],
        "x" * 4096,
        "é",
    ]
    for text in forged:
        assert refusal(portal.refresh(text)) == INVALID, text
    assert portal.refresh(token).status_code == 200


def test_a_new_password_ends_the_login(
    portal: Portal, client: TestClient, admin: Person, alice: Person
) -> None:
    answer = portal.log_in()
    client.put(f"/ai/users/{alice.id}", headers=admin.bearer, json={"password": PASSWORD})
    assert not portal.is_accepted(answer)
    assert refusal(portal.refresh(answer["refresh_token"])) == INVALID


def test_logging_out_over_ai_ends_the_login(portal: Portal, client: TestClient) -> None:
    answer = portal.log_in()
    client.delete("/ai/auth", headers={"Authorization": f"Bearer {answer['access_token']}"})
    assert refusal(portal.refresh(answer["refresh_token"])) == INVALID


def test_a_program_that_lost_the_grant_cannot_refresh(portal: Portal, database: Database) -> None:
    answer = portal.log_in()
    with database.writing() as session:
        session.execute(update(tables.ApiClient).values(grants=["authorization_code"]))
    response = portal.refresh(answer["refresh_token"])
    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")


def test_nothing_is_kept_of_a_refresh_token_but_its_number(portal: Portal, database: Database) -> None:
    answer = portal.log_in()
    portal.refresh(answer["refresh_token"])
    with database.reading() as session:
        login = tables.Login
        row = session.execute(select(login.__table__).where(login.client_id == portal.id)).mappings().one()
    assert row["generation"] == 1
    assert not [value for value in row.values() if answer["refresh_token"].split(".")[2] in str(value)]


@pytest.mark.slow
def test_tabs_that_refresh_at_once_stay_logged_in(portal: Portal) -> None:
    token = portal.log_in()["refresh_token"]
    for generation in range(1, 8):
        responses = at_once(*[lambda token=token: portal.refresh(token)] * 6)
        assert [response.status_code for response in responses] == [200] * 6
        (token,) = {response.json()["refresh_token"] for response in responses}
        assert portal.logins()[0].generation == generation


@pytest.mark.slow
def test_a_copied_token_and_a_refresh_at_once_leave_no_login(portal: Portal, database: Database) -> None:
    """The login is over, whichever request comes first."""
    for _ in range(5):
        first = portal.log_in()
        second = portal.refresh(first["refresh_token"]).json()
        change_login(database, rotated=database_clock() - 10)
        copied, own = at_once(
            partial(portal.refresh, first["refresh_token"]),
            partial(portal.refresh, second["refresh_token"]),
        )
        assert copied.status_code == 400
        assert own.status_code in {200, 400}
        assert portal.logins() == []
