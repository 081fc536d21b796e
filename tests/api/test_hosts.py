"""Which names of this server a request may ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opendai.api.server import Server
from opendai.settings import Settings
from tests.api.conftest import ALWAYS, DENIED, FAMILIES
from tests.conftest import Person
from tests.inprocess import TestClient


@pytest.mark.parametrize("path", FAMILIES)
def test_a_foreign_host_is_refused_in_the_shape_of_its_family(client: TestClient, path: str) -> None:
    response = client.get(path, headers={"Host": "evil.example"})
    assert response.status_code == 400
    body = response.json()
    assert FAMILIES[path] in body
    assert "The Host header names no address of this server." in body.values()
    assert "evil" not in response.text + str(response.headers)
    assert response.headers["x-request-id"]
    assert response.headers.items() >= {**ALWAYS, **DENIED}.items()


def test_a_foreign_host_gets_nothing_done(client: TestClient, app: Server, admin: Person) -> None:
    headers = {**admin.bearer, "Host": "evil.example"}
    assert client.delete(f"/ai/users/{admin.id}", headers=headers).status_code == 400
    assert client.get(f"/ai/users/{admin.id}", headers=admin.bearer).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_answer_to_any_host(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200


@pytest.mark.parametrize("path", ["/healthz/", "/healthz/../ai/ping", "//healthz", "/readyz%00"])
def test_what_only_resembles_a_health_check_does_not(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    "host",
    [
        "dai.example.com",
        "DAI.example.com:8443",
        "server:8000",
        "localhost",
        "localhost:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
    ],
)
def test_the_public_name_the_listed_ones_and_this_machine_are_answered(
    asking: Callable[..., TestClient], host: str
) -> None:
    client = asking(public_url="https://dai.example.com/base", allowed_hosts="server, other.example")
    assert client.get("/ai/ping", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "dai.example.com.evil.example",
        "evil-dai.example.com",
        "example.com",
        "dai.example.com.",
        "dai.example.com:",
        "dai.example.com:80:80",
        "dai.example.com:99999999",
        "user@dai.example.com",
        "dai.example.com/x?",
        "dai.example.com, evil.example",
        " dai.example.com\tx",
        "[::1",
        "::1",
        "127.0.0.2",
        "localhost#",
        "sérver",
    ],
)
def test_any_other_name_is_not(asking: Callable[..., TestClient], host: str) -> None:
    client = asking(public_url="https://dai.example.com", allowed_hosts="server")
    response = client.get("/ai/ping", headers={b"Host": host.encode()})
    assert response.status_code == 400
    assert response.json() == {"message": "The Host header names no address of this server."}


def test_two_hosts_are_one_too_many(asking: Callable[..., TestClient]) -> None:
    client = asking(public_url="https://dai.example.com")
    twice = [("Host", "dai.example.com"), ("Host", "evil.example")]
    assert client.get("/ai/ping", headers=twice).status_code == 400


@pytest.mark.parametrize("settings", [{}, {"allowed_hosts": "*", "public_url": "https://dai.example.com"}])
def test_where_nobody_said_a_name_any_is_answered(
    asking: Callable[..., TestClient], settings: dict[str, str]
) -> None:
    assert asking(**settings).get("/ai/ping", headers={"Host": "build-7"}).status_code == 200


def test_the_address_that_is_listened_on_says_no_name(tmp_path: Path) -> None:
    assert Settings().reached_at("http://localhost:8000").hosts is None
    hosts = Settings.model_validate({"allowed_hosts": "server"}).reached_at("http://localhost:8000").hosts
    assert set(hosts or ()) == {
        "server",
        "localhost",
        "127.0.0.1",
        "[::1]",
    }


def test_worker_processes_answer_to_the_same_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for settings in (Settings(), Settings(allowed_hosts="server"), Settings(public_url="https://a.example")):
        # So that what `export` writes is taken back.
        for name in ("PUBLIC_URL", "ALLOWED_HOSTS", "DATA_DIR"):
            monkeypatch.setenv(f"OPENDAI_{name}", "")
        served = settings.reached_at("http://localhost:8000")
        served.export()
        assert Settings().hosts == served.hosts
