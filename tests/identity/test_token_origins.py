"""Pages of a program in a browser at the token endpoint: its own origins read the answer, others do not."""

from typing import Any

import pytest

from opendai.api.server import Server
from tests.arranging.logging_in import TOKEN, Portal, make_portal
from tests.conftest import PASSWORD, Person
from tests.inprocess import TestClient

OWN = "https://portal.example"


@pytest.fixture
def portal(app: Server, client: TestClient, alice: Person) -> Portal:
    return make_portal(app, client, alice)


def ask(portal: Portal, origin: str, **fields: str) -> Any:
    return portal.client.post(TOKEN, data={**portal.fields, **fields}, headers={"Origin": origin})


def may_read(response: Any, origin: str) -> bool:
    """Whether a browser lets a page of the origin read the answer to a request with credentials."""
    headers = response.headers
    is_allowed = headers.get("access-control-allow-origin") == origin
    assert headers.get("access-control-allow-credentials") == ("true" if is_allowed else None)
    return is_allowed


def test_a_page_of_the_program_reads_the_tokens(portal: Portal) -> None:
    token = portal.log_in()["refresh_token"]
    response = ask(portal, OWN, grant_type="refresh_token", refresh_token=token)
    assert response.status_code == 200
    assert may_read(response, OWN)


@pytest.mark.parametrize(
    ("grant_type", "status"), [("refresh_token", 400), ("authorization_code", 400), ("no", 400), ("", 400)]
)
def test_a_page_of_the_program_reads_why_it_is_refused(portal: Portal, grant_type: str, status: int) -> None:
    response = ask(portal, OWN, grant_type=grant_type, refresh_token="x", code="x")
    assert response.status_code == status
    assert may_read(response, OWN)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://portal.example", "https://portal.example:444", "null", "*", ""]
)
def test_pages_of_other_origins_read_nothing(portal: Portal, origin: str) -> None:
    token = portal.log_in()["refresh_token"]
    response = ask(portal, origin, grant_type="refresh_token", refresh_token=token)
    assert not may_read(response, origin)


def test_for_a_program_that_is_not_known_no_page_reads_anything(portal: Portal) -> None:
    response = ask(portal, OWN, client_id="unknown", grant_type="refresh_token", refresh_token="x")
    assert response.status_code == 401
    assert not may_read(response, OWN)


def test_a_program_into_which_nobody_logs_in_by_a_page_has_no_origins(
    app: Server, client: TestClient, alice: Person
) -> None:
    robot = make_portal(app, client, alice, grants=("password",), is_public=False)
    response = ask(robot, OWN, grant_type="password", username="alice", password=PASSWORD)
    assert response.status_code == 200
    assert not may_read(response, OWN)


def test_who_says_no_origin_is_no_page(portal: Portal) -> None:
    response = portal.refresh(portal.log_in()["refresh_token"])
    assert response.status_code == 200
    assert not [name for name in response.headers if name.startswith("access-control")]
