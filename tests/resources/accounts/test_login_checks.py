"""/ai/internal/auth."""

from collections.abc import Iterator
from typing import Any

import pytest

from opendai.api.server import Server
from opendai.settings import Settings
from tests.arranging.parts import with_settings
from tests.conftest import PASSWORD, Person, Program
from tests.inprocess import TestClient

ADDRESS = "/ai/internal/auth"


@pytest.fixture
def switched_on(app: Server) -> Iterator[None]:
    with with_settings(app, internal_auth=True):
        yield


def test_the_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().internal_auth is False
    monkeypatch.setenv("OPENDAI_INTERNAL_AUTH", "1")
    assert Settings().internal_auth is True


def test_it_is_not_there_unless_switched_on(client: TestClient, ci: Program, alice: Person) -> None:
    response = client.post(ADDRESS, headers=ci.bearer, data={"username": "alice", "password": PASSWORD})
    assert response.status_code == 404
    assert response.json() == {"message": "There is nothing at this address."}


@pytest.mark.parametrize("medium", ["data", "json"])
def test_the_right_password_answers_the_user_without_a_token(
    client: TestClient, ci: Program, alice: Person, switched_on: None, medium: str
) -> None:
    credentials = {"username": "alice", "password": PASSWORD}
    given: dict[str, Any] = {medium: credentials}
    response = client.post(ADDRESS, headers=ci.bearer, **given)
    assert response.status_code == 200
    groups = response.json()["groups"]
    assert response.json() == {
        "id": str(alice.id),
        "username": "alice",
        "role": "User",
        "groups": [{"id": groups[0]["id"], "name": "alice"}, {"id": groups[1]["id"], "name": "shop"}],
        "hide_welcome_popup": False,
    }
    assert all(isinstance(group["id"], int) for group in groups)


@pytest.mark.parametrize(("username", "password"), [("alice", "wrong"), ("nobody at all", PASSWORD)])
def test_a_wrong_login_is_404_in_the_same_words(
    client: TestClient, ci: Program, alice: Person, switched_on: None, username: str, password: str
) -> None:
    response = client.post(ADDRESS, headers=ci.bearer, data={"username": username, "password": password})
    assert response.status_code == 404
    assert response.json() == {"message": "The username or the password is wrong."}


def test_a_form_without_a_password_is_refused(client: TestClient, ci: Program, switched_on: None) -> None:
    response = client.post(ADDRESS, headers=ci.bearer, data={"username": "alice"})
    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["errors"]] == ["password"]


def test_it_is_for_administrators(
    client: TestClient, alice: Person, nobody: Person, lab: Program, switched_on: None
) -> None:
    for person in (alice, nobody, lab):
        response = client.post(
            ADDRESS, headers=person.bearer, data={"username": "alice", "password": PASSWORD}
        )
        assert response.status_code == 403
        assert response.json() == {"message": "This needs an administrator's rights."}
