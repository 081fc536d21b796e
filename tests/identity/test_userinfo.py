"""Who the holder of an access token is."""

from typing import Any

import pytest

from opendai.api.server import Server
from tests.arranging.logging_in import OPENID, make_portal
from tests.conftest import Person, Program
from tests.inprocess import TestClient

USERINFO = f"{OPENID}/userinfo"
NO_TOKEN = {"error": "invalid_token", "error_description": "A bearer token is needed."}
REFUSED = {"error": "invalid_token", "error_description": "The token is invalid or has timed out."}


def token_of(person: Person) -> str:
    return person.bearer["Authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_person_is_told_with_groups_and_role(client: TestClient, alice: Person, method: str) -> None:
    response = client.request(method, USERINFO, headers=alice.bearer)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "sub": f"user:{alice.id}",
        "preferred_username": "alice",
        "name": "alice",
        "groups": ["alice", "shop"],
        "roles": ["user"],
    }


def test_a_person_without_rights_is_told(client: TestClient, nobody: Person) -> None:
    body = client.get(USERINFO, headers=nobody.bearer).json()
    assert (body["groups"], body["roles"]) == ([], [])


def test_a_program_is_told_by_its_id(client: TestClient, ci: Program) -> None:
    response = client.get(USERINFO, headers=ci.bearer)
    assert response.json() == {"sub": f"client:{ci.id}", "preferred_username": "service-account-ci-id"}


def test_the_token_may_be_in_a_form(client: TestClient, alice: Person) -> None:
    response = client.post(USERINFO, data={"access_token": token_of(alice)})
    assert (response.status_code, response.json()["sub"]) == (200, f"user:{alice.id}")


def test_the_subject_is_that_of_the_id_token(app: Server, client: TestClient, alice: Person) -> None:
    answer = make_portal(app, client, alice).log_in(scope="openid")
    response = client.get(USERINFO, headers={"Authorization": f"bearer {answer['access_token']}"})
    assert response.json()["sub"] == f"user:{alice.id}"


def test_a_token_in_two_places_is_an_invalid_request(client: TestClient, alice: Person) -> None:
    response = client.post(USERINFO, headers=alice.bearer, data={"access_token": token_of(alice)})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_token_it_says_that_one_is_needed(client: TestClient, method: str) -> None:
    response = client.request(method, USERINFO)
    assert (response.status_code, response.json()) == (401, NO_TOKEN)
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "request_parts",
    [
        {"method": "GET", "headers": {"Authorization": "Bearer x.y.z"}},
        {"method": "POST", "headers": {"Authorization": "Bearer x.y.z"}},
        {"method": "POST", "data": {"access_token": "x.y.z"}},
        {"method": "POST", "data": {"access_token": "x" * 4096}},
    ],
)
def test_a_token_that_is_not_good_is_401_with_a_challenge(
    client: TestClient, request_parts: dict[str, Any]
) -> None:
    response = client.request(url=USERINFO, **request_parts)
    assert (response.status_code, response.json()) == (401, REFUSED)
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_in_the_address_is_not_read(client: TestClient, alice: Person) -> None:
    assert client.get(USERINFO, params={"access_token": token_of(alice)}).status_code == 401


def test_another_realm_is_not_found(client: TestClient, alice: Person) -> None:
    response = client.get(USERINFO.replace("eggplant", "master"), headers=alice.bearer)
    assert (response.status_code, response.json()["error"]) == (404, "not_found")
