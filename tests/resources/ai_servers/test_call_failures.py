"""Calls that fail: each says at which stage, in time, and without much memory, whatever the server does."""

import gzip
import json
import socket
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from opendai.resources.ai_servers import calls
from tests.conftest import Person
from tests.inprocess import TestClient
from tests.mailserver import free_port
from tests.outbound.scripted import OK, Script, says, says_forever, says_nothing, scripted
from tests.resources.ai_servers.asking import create
from tests.resources.ai_servers.drafting import (
    OTHER_CASE,
    answers,
    attempt,
    body,
    drafts,
    outcome,
)

pytestmark = [pytest.mark.usefixtures("loopback"), pytest.mark.slow]
HEADERS = b"HTTP/1.1 200 OK\r\n"
MEMORY = 20 << 20
DEADLINE_SECONDS = 0.4


@contextmanager
def within(*, seconds: float = DEADLINE_SECONDS, memory: int = MEMORY) -> Iterator[None]:
    tracemalloc.start()
    begun = time.monotonic()
    try:
        yield
        assert time.monotonic() - begun < seconds + 0.6
        assert tracemalloc.get_traced_memory()[1] < memory
    finally:
        tracemalloc.stop()


def big(text: str) -> bytes:
    return body(text + json.dumps({"testCases": [OTHER_CASE]}))


FAILURES: dict[str, tuple[Script, str, str]] = {
    "nothing said": (says_nothing, "deadline", "did not answer in time"),
    "no answer": (says(), "protocol", "does not answer as HTTP asks"),
    "dripping headers": (says_forever(HEADERS, b"x: y\r\n", pause_seconds=0.05), "deadline", "in time"),
    "dripping body": (says_forever(HEADERS + b"\r\n", b"x", pause_seconds=0.05), "deadline", "in time"),
    "endless headers": (says_forever(HEADERS, b"x-filler: 1\r\n" * 999), "protocol", "as HTTP asks"),
    "endless hints": (
        says_forever(b"", b"HTTP/1.1 103 Hints\r\nx: " + b"x" * 60_000 + b"\r\n\r\n"),
        "size",
        "larger than 2097152",
    ),
    "endless body": (says_forever(HEADERS + b"\r\n", b"x" * 65_536), "size", "larger than 2097152 bytes"),
    "gzip bomb": (
        says(HEADERS + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"\0" * (1 << 26), 1)),
        "encoding",
        "is compressed",
    ),
    "400": (
        answers(b"the key sk-1 is wrong", status="400 Bad Request"),
        "status",
        "answered 400 Bad Request.",
    ),
    "401": (answers(b"secret inside", status="401 Whatever"), "status", "answered 401 Unauthorized."),
    "429": (
        answers(b"", status="429 Slow", headers="Retry-After: 7\r\n"),
        "status",
        "answered 429 Too Many Requests.",
    ),
    "429 for long": (
        answers(b"", status="429 Slow", headers="Retry-After: 3600\r\n"),
        "status",
        "and asks to wait 3600 s.",
    ),
    "500": (answers(b"secret inside", status="500 Oops"), "status", "answered 500 Internal Server Error."),
    "599": (answers(b"", status="599 Odd"), "status", "answered 599."),
    "no JSON": (answers(b"secret <html>"), "JSON", "no JSON: Expecting value at line 1, column 1."),
    "not UTF-8": (answers(b'"\xff"'), "JSON", "not UTF-8"),
    "deep JSON": (answers(b"[" * 60_000), "JSON", "nested too deeply"),
    "large numbers": (answers(b"[" + b"9" * 5_000 + b"]"), "JSON", "a number that is too long"),
    "lists without end": (answers(b"[" + b"[]," * 690_000 + b"1]"), "size", "more than 100000 parts"),
    "objects without end": (answers(b"[" + b'{"a":1},' * 260_000 + b"1]"), "size", "more than 100000 parts"),
    "an open string": (answers(b'["' + b'\\"' * 1_000_000), "JSON", "Unterminated string"),
    "other JSON": (answers(b'{"choices": []}'), "json_path", "has nothing at choices[0]."),
    "null": (
        answers(b'{"choices": [{"message": {"content": null}}]}'),
        "json_path",
        "has no text at choices",
    ),
    "empty text": (answers(body("")), "answer shape", "The text holds no JSON object."),
    "prose": (answers(body("I cannot do that.")), "answer shape", "holds no JSON object."),
    "almost JSON": (answers(body('{"testCases": [{"name": "x"')), "answer shape", "is broken: Expecting"),
    "wrong shape": (
        answers(body('{"testCases": [{"title": 1}]}')),
        "answer shape",
        "testCases[0].name: Field",
    ),
    "a long text": (answers(big("x" * 300_000)), "size", "more than 262144 characters"),
    "a text of wide characters": (
        answers(json.dumps(json.loads(big("\U0001f600" * 400_000)), ensure_ascii=False).encode()),
        "size",
        "more than 262144 characters",
    ),
    "braces": (answers(body("{" * 200_000)), "answer shape", "is broken"),
}


@pytest.mark.parametrize(("script", "stage", "reason"), FAILURES.values(), ids=FAILURES.keys())
def test_each_failure_has_its_stage_in_time_and_without_much_memory(
    client: TestClient,
    admin: Person,
    monkeypatch: pytest.MonkeyPatch,
    script: Script,
    stage: str,
    reason: str,
) -> None:
    # A server's own limit is whole seconds, which is long for a test.
    monkeypatch.setattr(calls, "DEADLINE_SECONDS", DEADLINE_SECONDS)
    with scripted(script) as server:
        create(client, admin, url=server.url)
        with within():
            response = attempt(client, admin)
    found = response.json()
    assert response.status_code == 200
    assert (found["is_successful"], found["failure"]["stage"], found["testCases"]) == (False, stage, [])
    assert reason in found["failure"]["message"]
    assert found["request"]["url"] == server.url
    assert "secret" not in response.text
    assert len(response.text) < 300_000


def test_what_is_read_at_its_largest_is_read_without_much_memory(client: TestClient, admin: Person) -> None:
    steps = [{"action": "\U0001f600" * 300} for _ in range(50)]
    cases = [{"name": "x", "testSteps": steps} for _ in range(15)]
    text = json.dumps({"testCases": cases}, ensure_ascii=False)
    content = json.dumps({"choices": [{"message": {"content": text}}]}, ensure_ascii=False)
    with scripted(answers(content.encode())) as server:
        create(client, admin, url=server.url)
        with within(seconds=5):
            found = outcome(client, admin)
    assert (found["failure"], len(found["testCases"]), len(found["text"])) == (None, 15, 65_536)


def test_the_servers_own_limit_of_time_counts(client: TestClient, admin: Person) -> None:
    with scripted(says_nothing) as server:
        create(client, admin, url=server.url, timeout_seconds=1)
        begun = time.monotonic()
        assert outcome(client, admin)["failure"]["stage"] == "deadline"
    assert 0.9 < time.monotonic() - begun < 1.8


def test_a_server_that_is_not_there_is_named(client: TestClient, admin: Person) -> None:
    port = free_port()
    create(client, admin, url=f"http://127.0.0.1:{port}/")
    failure = outcome(client, admin)["failure"]
    assert failure == {
        "stage": "connection",
        "message": f"127.0.0.1:{port} cannot be reached: Connection refused.",
    }


def test_a_redirect_is_not_followed(client: TestClient, admin: Person) -> None:
    with scripted(says(OK)) as canary:
        location = f"Location: {canary.url}\r\n"
        with scripted(answers(b"", status="307 There", headers=location)) as server:
            create(client, admin, url=server.url)
            failure = outcome(client, admin)["failure"]
    assert failure["stage"] == "status"
    assert failure["message"].endswith("answered 307 Temporary Redirect, and redirects are not followed.")
    assert canary.requests == []


def test_a_name_that_leads_elsewhere_by_now_is_not_called(
    client: TestClient, admin: Person, hal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hal()
    addresses = iter(["93.184.216.34"])

    def rebinding(host: str, port: Any, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(addresses, "127.0.0.1"), port))]

    with scripted(drafts()) as canary:
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        create(client, admin, url=f"http://llm.example:{canary.port}/")
        failure = outcome(client, admin)["failure"]
    assert failure == {
        "stage": "address",
        "message": "llm.example is on a private address, which the settings do not allow.",
    }
    assert canary.requests == []
