"""HTTP Basic at the AI servers API: only if the setting allows it, and at no other API."""

import base64
from typing import Any

import pytest

from tests.conftest import PASSWORD, Person
from tests.inprocess import TestClient
from tests.resources.ai_servers.asking import GIVEN, SERVERS

WRONG = {"message": "The username or the password is wrong."}


def basic(pair: str | bytes, *, word: str = "Basic") -> dict[str, str]:
    given = pair.encode() if isinstance(pair, str) else pair
    return {"Authorization": f"{word} {base64.b64encode(given).decode()}"}


def test_it_is_off_unless_a_setting_says_so(client: TestClient, admin: Person) -> None:
    response = client.get(SERVERS, headers=basic(f"admin:{PASSWORD}"))
    assert (response.status_code, response.json()) == (401, {"message": "A bearer token is needed."})


@pytest.fixture
def allowed(hal: Any) -> None:
    hal(ai_server_basic_auth=True)


def test_other_apis_do_not_take_it(client: TestClient, admin: Person, allowed: None) -> None:
    assert client.get("/ai/agents", headers=basic(f"admin:{PASSWORD}")).status_code == 401


@pytest.mark.parametrize("word", ["Basic", "basic", "BASIC"])
def test_a_person_may_come_with_a_password(
    client: TestClient, admin: Person, allowed: None, word: str
) -> None:
    headers = basic(f"admin:{PASSWORD}", word=word)
    created = client.post(SERVERS, headers=headers, json=GIVEN)
    assert (created.status_code, created.json()["created_by"]) == (201, "admin")
    assert client.get(SERVERS, headers=headers).status_code == 200


def test_a_token_is_taken_as_before(client: TestClient, admin: Person, allowed: None) -> None:
    assert client.get(SERVERS, headers=admin.bearer).status_code == 200


def test_a_password_gives_the_rights_of_the_person(
    client: TestClient, alice: Person, nobody: Person, allowed: None
) -> None:
    assert client.get(SERVERS, headers=basic(f"alice:{PASSWORD}")).status_code == 200
    assert client.post(SERVERS, headers=basic(f"alice:{PASSWORD}"), json=GIVEN).status_code == 403
    assert client.get(SERVERS, headers=basic(f"nobody:{PASSWORD}")).status_code == 403


@pytest.mark.parametrize(
    "pair",
    [
        "admin:wrong",
        "nobody-here:wrong",
        "admin",
        "",
        ":",
        f"admin\0:{PASSWORD}",
        f"admin:{PASSWORD}\0",
        b"admin:\xff\xfe",
        "a" * 5000 + ":b",
        "admin:" + "b" * 5000,
    ],
)
def test_who_is_not_known_is_401_in_the_same_words(
    client: TestClient, admin: Person, allowed: None, pair: str | bytes
) -> None:
    response = client.get(SERVERS, headers=basic(pair))
    assert (response.status_code, response.json()) == (401, WRONG)


@pytest.mark.parametrize("text", ["Basic", "Basic ", "Basic !!!", "Basic YWRtaW4", "Basic " + "YWJj" * 5000])
def test_what_is_no_pair_is_401(client: TestClient, admin: Person, allowed: None, text: str) -> None:
    response = client.get(SERVERS, headers={"Authorization": text})
    assert (response.status_code, response.json()) == (401, WRONG)
