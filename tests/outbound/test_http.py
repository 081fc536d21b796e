"""Calling others over HTTP: what comes back from servers that behave, and from those that do not."""

import gzip
import socket
import struct
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from opendai.outbound.addresses import Allowed
from opendai.outbound.http import Answer, CallFailed, Outbound, Stage
from tests.mailserver import free_port
from tests.outbound.scripted import OK, Script, Scripted, says, says_forever, says_nothing, scripted
from tests.outbound.spellings import FORBIDDEN_HOSTS

LOOPBACK = Allowed.parse("127.0.0.0/8")
HEADERS = b"HTTP/1.1 200 OK\r\n"
MEMORY = 20 << 20


def get(url: str, *, allowed: Allowed = LOOPBACK, deadline_seconds: float = 5.0, **options: Any) -> Answer:
    return Outbound(allowed=allowed).exchange("GET", url, deadline_seconds=deadline_seconds, **options)


@contextmanager
def failing(stage: Stage, reason: str, *, within_seconds: float = 5.0) -> Iterator[None]:
    """The call fails at this stage, for this reason, in time, and without much memory."""
    tracemalloc.start()
    begun = time.monotonic()
    try:
        with pytest.raises(CallFailed, match=reason) as failure:
            yield
        assert failure.value.stage == stage
        assert time.monotonic() - begun < within_seconds + 0.5
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def test_an_answer_comes_back_as_it_is() -> None:
    headers = b"HTTP/1.1 404 Not Found\r\nX-One: a\r\nx-one: b\r\nTransfer-Encoding: chunked\r\n\r\n"
    with scripted(says(headers, b"2\r\n\xffo\r\n0\r\n\r\n")) as server:
        assert get(server.url) == Answer(404, {"x-one": "a, b", "transfer-encoding": "chunked"}, b"\xffo")


def test_a_request_says_what_was_asked_and_nothing_about_this_server() -> None:
    with scripted(says(OK)) as server:
        Outbound(allowed=LOOPBACK).exchange(
            "POST",
            f"{server.url}v1?a=%20b",
            headers=[("Authorization", "Bearer x"), ("host", "other"), ("Accept-Encoding", "gzip")],
            content=b"a body",
            deadline_seconds=5,
        )
    assert server.requests == [
        b"POST /v1?a=%20b HTTP/1.1\r\n"
        + f"Host: 127.0.0.1:{server.port}\r\n".encode()
        + b"Connection: close\r\nAccept-Encoding: identity\r\nContent-Length: 6\r\nAuthorization: Bearer x\r\n"
        + b"\r\na body"
    ]


def test_a_large_body_is_sent_and_one_within_the_limit_is_taken() -> None:
    body = b"x" * (1 << 20)
    with scripted(says(HEADERS + b"\r\n", body)) as server:
        answer = Outbound(allowed=LOOPBACK).exchange("POST", server.url, content=body, deadline_seconds=5)
    assert answer.body == body
    assert server.requests[0].endswith(body)


def test_an_answer_counts_also_when_the_request_is_not_read_to_its_end() -> None:
    refusal = says(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    with scripted(refusal, listens=False) as server:
        answer = Outbound(allowed=LOOPBACK).exchange(
            "POST", server.url, content=b"x" * (8 << 20), deadline_seconds=5
        )
    assert answer.status == 413


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with scripted(says(OK)) as canary:
        location = f"HTTP/1.1 302 Found\r\nLocation: {canary.url}\r\nContent-Length: 0\r\n\r\n".encode()
        with scripted(says(location), host="127.0.0.2") as server:
            answer = get(server.url, allowed=Allowed.parse("127.0.0.2"))
    assert (answer.status, answer.headers["location"]) == (302, canary.url)
    assert canary.requests == []


def test_cookies_are_not_kept() -> None:
    outbound = Outbound(allowed=LOOPBACK)
    with scripted(says(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")) as server:
        for _ in range(2):
            outbound.exchange("GET", server.url, deadline_seconds=5)
    assert len(server.requests) == 2
    assert b"cookie" not in server.requests[1].lower()


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(says(OK)) as canary, scripted(says(OK)) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, canary.url)
        assert get(server.url).status == 200
    assert canary.requests == []


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS)
def test_a_forbidden_host_is_not_connected_to(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_socket: socket.socket, address: object) -> None:
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(CallFailed) as failure:
        get(f"http://{host}:{free_port()}/", allowed=Allowed())
    # A name that only some networks know of is not found in others.
    assert failure.value.stage == "address" or "There is no host" in failure.value.reason


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "localhost", "[::ffff:127.0.0.1]"])
def test_a_server_on_loopback_is_not_reached(host: str) -> None:
    with scripted(says(OK)) as canary:
        with failing("address", "on a private address, which the settings do not allow"):
            get(f"http://{host}:{canary.port}/", allowed=Allowed())
        assert get(canary.url).status == 200
    assert len(canary.requests) == 1


def test_a_name_is_looked_up_once_and_connected_to_at_that_address(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = iter(["127.0.0.2"])
    asked: list[str] = []

    def rebinding(host: str, port: Any, **_: Any) -> list[Any]:
        asked.append(host)
        address = next(addresses, "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with (
        scripted(says(OK), host="127.0.0.2") as server,
        scripted(says(OK), port=server.port) as canary,
    ):
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        assert get(f"http://llm.example:{server.port}/", allowed=Allowed.parse("127.0.0.2")).status == 200
        assert b"\r\nHost: llm.example:" in server.requests[0]
        assert asked == ["llm.example"]
        with failing("address", "llm.example is on a private address"):
            get(f"http://llm.example:{server.port}/", allowed=Allowed.parse("127.0.0.2"))
    assert (len(server.requests), canary.requests) == (1, [])


@pytest.mark.parametrize(
    ("script", "stage", "reason"),
    [
        (says_forever(HEADERS, b"x-filler: 1\r\n" * 999), "protocol", "does not answer as HTTP asks"),
        (says_forever(HEADERS + b"x-filler: ", b"x" * 65_536), "protocol", "does not answer as HTTP asks"),
        (says_forever(b"", b"HTTP/1.1 103 Hints\r\n\r\n" * 999), "size", "larger than 262144 bytes"),
        (says_forever(HEADERS + b"\r\n", b"x" * 65_536), "size", "larger than 262144 bytes"),
        (
            says_forever(
                HEADERS + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"
            ),
            "size",
            "larger than",
        ),
        (says(HEADERS + b"Content-Length: 5000000\r\n\r\n", b"x" * 5_000_000), "size", "larger than"),
        (
            says(HEADERS + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"\0" * (1 << 26), 1)),
            "encoding",
            "is compressed",
        ),
        (says(HEADERS + b"content-encoding: identity, br\r\n\r\nx"), "encoding", "is compressed"),
        (says(HEADERS + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "protocol", "does not answer"),
        (says(HEADERS + b"Content-Length: 9\r\n\r\nx"), "protocol", "does not answer as HTTP asks"),
        (says(HEADERS + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), "protocol", "does not answer"),
        (says(HEADERS + b"Content-Length: -1\r\n\r\nx"), "protocol", "does not answer as HTTP asks"),
        (says(HEADERS + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "protocol", "does not answer"),
        (says(HEADERS), "protocol", "does not answer as HTTP asks"),
        (says(b"220 mail.example ESMTP\r\n"), "protocol", "does not answer as HTTP asks"),
        (says(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nx"), "protocol", "does not answer as HTTP asks"),
        (says(), "protocol", "does not answer as HTTP asks"),
    ],
)
def test_an_answer_that_is_too_much_or_none_at_all_is_refused(
    script: Script, stage: Stage, reason: str
) -> None:
    with scripted(script) as server, failing(stage, reason):
        get(server.url, max_bytes=1 << 18)


def test_two_mebibytes_are_taken_where_nothing_else_is_said() -> None:
    script = says_forever(HEADERS + b"\r\n", b"x" * 65_536)
    with scripted(script) as server, failing("size", "larger than 2097152 bytes"):
        get(server.url)


def test_headers_count_as_bytes_of_the_answer() -> None:
    with scripted(says(HEADERS + b"x-filler: " + b"x" * 2_000 + b"\r\nContent-Length: 0\r\n\r\n")) as server:
        with failing("size", "larger than 1000 bytes"):
            get(server.url, max_bytes=1_000)
        assert get(server.url, max_bytes=3_000).status == 200


def test_a_connection_that_is_reset_is_named() -> None:
    def reset(connection: socket.socket, _server: Scripted) -> None:
        connection.sendall(HEADERS)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with scripted(reset) as server, failing("connection", f"127.0.0.1:{server.port} broke off"):
        get(server.url)


def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with failing("connection", f"127.0.0.1:{port} cannot be reached: Connection refused"):
        get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "headers", [[("X", "a\r\nY: b")], [("X", "ä")], [("X: y", "z")], [("X", "a\0")]], ids=repr
)
def test_headers_cannot_carry_more_headers(headers: list[tuple[str, str]]) -> None:
    with scripted(says(OK)) as server, failing("protocol", "The request holds what HTTP cannot carry."):
        get(server.url, headers=headers)
    assert all(request == b"" for request in server.requests)


@pytest.mark.parametrize(
    "script",
    [
        says_nothing,
        says_forever(b"", b"H", pause_seconds=0.05),
        says_forever(HEADERS, b"x: y\r\n", pause_seconds=0.05),
        says_forever(HEADERS + b"\r\n", b"x", pause_seconds=0.05),
        says_forever(HEADERS + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", pause_seconds=0.05),
    ],
    ids=["silence", "status", "headers", "body", "chunks"],
)
def test_one_deadline_is_for_everything(script: Script) -> None:
    with scripted(script) as server, failing("deadline", "did not answer in time", within_seconds=0.4):
        get(server.url, deadline_seconds=0.4)


def test_the_deadline_holds_for_a_request_that_nobody_reads() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with failing("deadline", "did not answer in time", within_seconds=0.3):
            Outbound(allowed=LOOPBACK).exchange("POST", url, content=b"x" * (8 << 20), deadline_seconds=0.3)


def test_the_deadline_holds_for_tls() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        failing("deadline", "did not answer in time", within_seconds=0.3),
    ):
        get(f"https://127.0.0.1:{listener.getsockname()[1]}/", deadline_seconds=0.3)


@pytest.mark.slow
def test_a_body_of_very_small_parts_ends_with_the_deadline() -> None:
    script = says_forever(HEADERS + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 9_999)
    with scripted(script) as server, failing("deadline", "in time", within_seconds=1.0):
        get(server.url, deadline_seconds=1.0, max_bytes=1 << 30)


@pytest.mark.slow
def test_bytes_that_drip_for_long_are_not_waited_for() -> None:
    script = says_forever(HEADERS + b"\r\n", b"x", pause_seconds=0.3)
    with scripted(script) as server, failing("deadline", "in time", within_seconds=2.0):
        get(server.url, deadline_seconds=2.0)


def test_tls_is_made_with_a_certificate_that_is_trusted(certificate: Path, trusted: None) -> None:
    with scripted(says(OK), certificate=certificate) as server:
        assert get(f"https://127.0.0.1:{server.port}/").body == b"ok"


def test_a_certificate_for_another_name_is_refused(certificate: Path, trusted: None) -> None:
    mismatch = "TLS with localhost:.* was not made: Hostname mismatch"
    with scripted(says(OK), certificate=certificate) as server, failing("connection", mismatch):
        get(f"https://localhost:{server.port}/", allowed=Allowed.parse("localhost"))
    assert server.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    stranger = "was not made: self.signed certificate"
    with scripted(says(OK), certificate=certificate) as server, failing("connection", stranger):
        get(f"https://127.0.0.1:{server.port}/")
    assert server.requests == []


def test_a_server_without_tls_is_not_talked_to_over_https() -> None:
    failure = failing("connection", "was not made: the handshake failed")
    with scripted(says(OK), listens=False) as server, failure:
        get(f"https://127.0.0.1:{server.port}/")
