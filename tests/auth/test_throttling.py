"""Too many logins at once, at both ways to log in."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from opendai.api.server import Server
from opendai.credentials.passwords import Passwords
from tests.arranging.parts import replaced
from tests.conftest import PASSWORD, Person, Program
from tests.inprocess import TestClient

pytestmark = pytest.mark.slow

TOKEN = "/auth/realms/eggplant/protocol/openid-connect/token"
AT_ONCE = 8


@pytest.fixture
def one_at_a_time(app: Server) -> Iterator[None]:
    with replaced(app, passwords=Passwords(at_once=1, waiting=0, pause_seconds=0)):
        yield


def _together(ask: Callable[[], Any]) -> list[Any]:
    barrier = threading.Barrier(AT_ONCE)

    def when_all_are_ready() -> Any:
        barrier.wait()
        return ask()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [future.result() for future in [pool.submit(when_all_are_ready) for _ in range(AT_ONCE)]]


def test_a_login_that_would_wait_too_long_is_429(
    client: TestClient, alice: Person, one_at_a_time: None
) -> None:
    credentials = {"username": "alice", "password": PASSWORD}
    responses = _together(lambda: client.post("/ai/auth", json=credentials))
    assert {response.status_code for response in responses} == {200, 429}
    refused = next(response for response in responses if response.status_code == 429)
    assert refused.headers["retry-after"] == "1"
    assert refused.json() == {"message": "Too many logins at once. Try again in a moment."}


def test_a_password_grant_that_would_wait_too_long_is_429(
    client: TestClient, alice: Person, ci: Program, one_at_a_time: None
) -> None:
    form = {
        "grant_type": "password",
        "client_id": ci.client_id,
        "client_secret": ci.secret,
        "username": "alice",
        "password": PASSWORD,
    }
    responses = _together(lambda: client.post(TOKEN, data=form))
    assert {response.status_code for response in responses} == {200, 429}
    refused = next(response for response in responses if response.status_code == 429)
    assert refused.headers["retry-after"] == "1"
    assert refused.json() == {
        "error": "temporarily_unavailable",
        "error_description": "Too many logins at once. Try again in a moment.",
    }
