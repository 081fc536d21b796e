"""What guards every answer: the Host header, other origins, headers for browsers, and who asks behind proxies."""

import contextlib
import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.testclient import TestClient
from structlog.testing import LogCapture

from opendai.app import create_app
from opendai.auth.addresses import first_untrusted
from opendai.resources.installation import install
from opendai.settings import Settings
from tests.conftest import Person, Program

FAMILIES = {
    "/ai/nowhere": "message",
    "/auth/nowhere": "error",
    "/execution_service/api/v1/nowhere": "detail",
    "/agent_service/api/v1/nowhere": "detail",
    "/files/nowhere": "detail",
    "/nowhere": "detail",
}
PROXIES = tuple(ipaddress.ip_network(network) for network in ("10.0.0.0/8", "fd00::/8"))
DENIED = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
}
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edge")
    install(Settings(data_dir=folder, admin_password="correct horse battery staple"))
    return folder


@pytest.fixture
def asking(installed: Path) -> Iterator[Callable[..., TestClient]]:
    """Gives a client of a server with these settings; it asks for no data, so one database will do."""
    with contextlib.ExitStack() as stack:

        def ask(*, peer: str = "testclient", **settings: object) -> TestClient:
            configured = Settings(data_dir=installed, threads=2, **settings)
            app = create_app(configured.reached_at("http://localhost:8000"))
            stack.callback(app.state.database.close)
            stack.callback(app.state.store.close)
            client = TestClient(app, base_url="http://dai.example.com", client=(peer, 50_000))
            return stack.enter_context(contextlib.closing(client))

        yield ask


# The Host header


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


def test_a_foreign_host_gets_nothing_done(client: TestClient, app: FastAPI, admin: Person) -> None:
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
    response = client.get("/ai/ping", headers={"Host": host.encode()})
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
    assert Settings(allowed_hosts="server").reached_at("http://localhost:8000").hosts == {
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_hosts", "http://server"),
        ("allowed_hosts", "server:8000"),
        ("allowed_hosts", "*.example.com"),
        ("allowed_hosts", "server,*"),
        ("allowed_hosts", "a b"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_proxies", "proxy"),
        ("trusted_proxies", "*"),
        ("trusted_proxies", "10.0.0.0/8;fd00::/8"),
        ("cors_origins", "app.example.com"),
        ("cors_origins", "https://app.example.com/"),
        ("cors_origins", "https://*.example.com"),
        ("cors_origins", "https://app.example.com,*"),
        ("cors_origins", "null"),
        ("cors_origins", "https://user@app.example.com"),
        ("cors_origins", "https://App.example.com"),
        ("cors_origins", "file:///tmp"),
    ],
)
def test_a_malformed_list_refuses_to_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"OPENDAI_{name.upper()}", value)
    with pytest.raises(ValueError, match=f"1 validation error.*\n{name}\n.*must be"):
        Settings()


def test_lists_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENDAI_ALLOWED_HOSTS", "Server, other.example ,")
    monkeypatch.setenv("OPENDAI_TRUSTED_PROXIES", "10.0.0.0/8,::1")
    monkeypatch.setenv("OPENDAI_CORS_ORIGINS", "https://app.example.com,http://localhost:3000")
    settings = Settings()
    assert settings.allowed_hosts == ("server", "other.example")
    assert settings.trusted_proxies == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )
    assert settings.cors_origins == ("https://app.example.com", "http://localhost:3000")


# Other origins

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


# Headers for browsers


@pytest.mark.parametrize("path", [*FAMILIES, "/healthz", "/ai/ping", "/ai/agents", "/ai/openapi.json"])
def test_every_answer_carries_the_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers.items() >= {**ALWAYS, **DENIED}.items()
    assert "strict-transport-security" not in headers


def test_an_authenticated_answer_is_not_kept(client: TestClient, ci: Program) -> None:
    assert client.get("/ai/agents", headers=ci.bearer).headers["cache-control"] == "no-store"


def test_what_an_answer_says_itself_stays(client: TestClient, app: FastAPI) -> None:
    for mount in app.routes:
        if isinstance(mount, Mount):
            headers = client.get(f"{mount.path}/docs").headers
            assert headers.get_list("content-security-policy")[0].startswith("default-src 'none'; style-src")
            assert len(headers.get_list("content-security-policy")) == 1
            assert headers.get_list("referrer-policy") == ["no-referrer"]
            assert "x-frame-options" not in headers


def test_a_failure_of_ours_carries_them_too(
    client: TestClient, app: FastAPI, ci: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state.store, "is_reachable", lambda: 1 / 0)
    response = client.get("/readyz")
    assert response.status_code == 500
    assert response.headers.items() >= {**ALWAYS, **DENIED}.items()


def test_browsers_keep_to_https_where_the_public_address_has_it(asking: Callable[..., TestClient]) -> None:
    headers = asking(public_url="https://dai.example.com").get("/ai/ping").headers
    assert headers["strict-transport-security"] == "max-age=31536000"


# Who asks


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["6.6.6.6"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", ["10.0.0.3,10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["6.6.6.6, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["6.6.6.6, , 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7:4711"], "203.0.113.7"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", ["[2001:db8::7]"], "2001:db8::7"),
        ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", ["2001:db8::7%<script>"], "2001:db8::7"),
        ("10.0.0.1", ["203.0.113.07"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7\x00"], "10.0.0.1"),
        ("10.0.0.1", ["1" * 5000], "10.0.0.1"),
        ("10.0.0.1", [",".join(["6.6.6.6"] * 2000)], "6.6.6.6"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.7"], "203.0.113.7"),
        ("fd00::1", ["203.0.113.7"], "203.0.113.7"),
        ("fe80::1%eth0", ["203.0.113.7"], "fe80::1"),
        ("testclient", ["203.0.113.7"], None),
    ],
)
def test_the_first_hop_that_is_not_trusted_counts(
    peer: str, forwarded: list[str], address: str | None
) -> None:
    found = first_untrusted(peer, forwarded, PROXIES)
    assert (str(found) if found else None) == address


@pytest.mark.parametrize(
    ("proxies", "address"), [("", "10.0.0.1"), ("10.0.0.0/8", "203.0.113.7"), ("10.9.0.0/16", "10.0.0.1")]
)
def test_the_log_names_who_asked(
    asking: Callable[..., TestClient], proxies: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LogCapture()
    logger = structlog.wrap_logger(structlog.PrintLogger(), processors=[log])
    monkeypatch.setattr("opendai.api.requests._log", logger)
    client = asking(peer="10.0.0.1", trusted_proxies=proxies)
    client.get("/healthz", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.7"})
    assert [entry["address"] for entry in log.entries] == [address]
