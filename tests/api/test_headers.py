"""Every answer carries the headers that protect a browser."""

from collections.abc import Callable

import pytest

from opendai.api.server import Server
from tests.api.conftest import ALWAYS, DENIED, FAMILIES
from tests.conftest import Program
from tests.inprocess import TestClient


@pytest.mark.parametrize("path", [*FAMILIES, "/healthz", "/ai/ping", "/ai/agents", "/ai/openapi.json"])
def test_every_answer_carries_the_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers.items() >= {**ALWAYS, **DENIED}.items()
    assert "strict-transport-security" not in headers


def test_an_authenticated_answer_is_not_kept(client: TestClient, ci: Program) -> None:
    assert client.get("/ai/agents", headers=ci.bearer).headers["cache-control"] == "no-store"


def test_what_an_answer_says_itself_stays(client: TestClient, app: Server) -> None:
    for family in app.families:
        headers = client.get(f"{family.prefix}/docs").headers
        assert headers.get_list("content-security-policy")[0].startswith("default-src 'none'; style-src")
        assert len(headers.get_list("content-security-policy")) == 1
        assert headers.get_list("referrer-policy") == ["no-referrer"]
        assert "x-frame-options" not in headers


def test_a_failure_of_ours_carries_them_too(
    client: TestClient, app: Server, ci: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state.parts.store, "is_reachable", lambda: 1 / 0)
    response = client.get("/readyz")
    assert response.status_code == 500
    assert response.headers.items() >= {**ALWAYS, **DENIED}.items()


def test_browsers_keep_to_https_where_the_public_address_has_it(asking: Callable[..., TestClient]) -> None:
    headers = asking(public_url="https://dai.example.com").get("/ai/ping").headers
    assert headers["strict-transport-security"] == "max-age=31536000"
