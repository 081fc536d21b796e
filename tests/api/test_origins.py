"""Which pages of other origins may read an answer."""

from collections.abc import Callable

import pytest

from tests.conftest import Program
from tests.inprocess import TestClient

PREFLIGHT = {
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization,content-type,x-request-id",
}


def test_other_origins_may_read_nothing_by_default(client: TestClient, ci: Program) -> None:
    asked = {"Origin": "https://app.example.com"}
    response = client.get("/ai/agents", headers={**ci.bearer, **asked})
    assert not [name for name in response.headers if name.startswith("access-control")]
    preflight = client.options("/ai/agents", headers={**asked, **PREFLIGHT})
    assert preflight.status_code == 405
    assert not [name for name in preflight.headers if name.startswith("access-control")]


def test_a_listed_origin_may_read_and_send_a_token(asking: Callable[..., TestClient]) -> None:
    client = asking(cors_origins="https://app.example.com")
    origin = {"Origin": "https://app.example.com"}
    preflight = client.options("/ai/agents/1", headers={**origin, **PREFLIGHT})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://app.example.com"
    assert "PATCH" in preflight.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in preflight.headers
    response = client.get("/ai/agents", headers=origin)
    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] == "https://app.example.com"
    assert response.headers["access-control-expose-headers"] == "Location, Retry-After, X-Request-ID"
    assert response.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com:444",
        "https://app.example.com.evil.example",
        "https://APP.example.com",
        "null",
    ],
)
def test_any_other_origin_may_not(asking: Callable[..., TestClient], origin: str) -> None:
    client = asking(cors_origins="https://app.example.com")
    for response in (
        client.options("/ai/agents/1", headers={"Origin": origin, **PREFLIGHT}),
        client.get("/ai/ping", headers={"Origin": origin}),
    ):
        assert "access-control-allow-origin" not in response.headers


def test_every_origin_may_read_where_that_is_asked_for_and_still_sends_no_cookie(
    asking: Callable[..., TestClient],
) -> None:
    client = asking(cors_origins="*")
    response = client.get("/ai/ping", headers={"Origin": "https://anywhere.example", "Cookie": "a=b"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers


def test_an_answer_that_names_its_readers_itself_is_left_alone(asking: Callable[..., TestClient]) -> None:
    client = asking(cors_origins="https://app.example.com")
    response = client.get("/auth/realms/eggplant", headers={"Origin": "https://app.example.com"})
    assert response.headers["access-control-allow-origin"] == "*"
