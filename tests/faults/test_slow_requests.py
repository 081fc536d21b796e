"""Requests that do not come in, or are not at their end when they should be, over raw sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from opendai.cli.connections import HEAD_BYTES, HEAD_SECONDS
from tests.faults.processes import Server

pytestmark = pytest.mark.slow

_HEAD = b"POST /ai/auth HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_LATEST = HEAD_SECONDS + 4
Sending = AsyncIterator[bytes]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """On one database: none of this gets as far as that."""
    with Server(tmp_path_factory.mktemp("slow") / "data") as started:
        yield started


async def _nothing() -> Sending:
    nothing: tuple[bytes, ...] = ()
    for data in nothing:
        yield data


async def _a_header_letter_by_letter() -> Sending:
    yield b"GET /ai/ping HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    while True:
        yield b"x"
        await asyncio.sleep(0.5)


async def _headers_one_by_one() -> Sending:
    yield b"GET /ai/ping HTTP/1.1\r\nHost: localhost\r\n"
    while True:
        yield b"X-Slow: x\r\n"
        await asyncio.sleep(0.5)


async def _a_body_letter_by_letter() -> Sending:
    yield _HEAD + b"Content-Length: 1000\r\n\r\n"
    while True:
        yield b" "
        await asyncio.sleep(0.5)


async def _chunks_of_one_letter() -> Sending:
    yield _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"1\r\n \r\n"
        await asyncio.sleep(0.5)


async def _line_ends_after_an_answer() -> Sending:
    yield b"GET /ai/ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
    while True:
        await asyncio.sleep(0.5)
        yield b"\r\n"


SLOW = [
    _nothing,
    _a_header_letter_by_letter,
    _headers_one_by_one,
    _a_body_letter_by_letter,
    _chunks_of_one_letter,
    _line_ends_after_an_answer,
]


async def _seconds_until_closed(url: httpx.URL, sending: Callable[[], Sending]) -> float:
    reader, writer = await asyncio.open_connection(url.host, url.port)
    started = time.monotonic()

    async def send() -> None:
        async for part in sending():
            writer.write(part)
            await writer.drain()

    task = asyncio.create_task(send())
    try:
        await asyncio.wait_for(reader.read(), _LATEST)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        writer.close()
    return time.monotonic() - started


def test_requests_that_do_not_come_in_end_their_connection(server: Server):
    async def ask() -> list[float]:
        url = httpx.URL(server.url)
        return await asyncio.gather(*(_seconds_until_closed(url, sending) for sending in SLOW))

    seconds = dict(zip(SLOW, asyncio.run(ask()), strict=True))
    assert all(HEAD_SECONDS - 1 < took < _LATEST for took in seconds.values()), seconds


def test_a_body_that_takes_its_time_but_comes_in_is_read(server: Server):
    """It is under way for longer than a head may be."""
    pieces = [b" " * 80_000] * 13

    async def ask() -> bytes:
        url = httpx.URL(server.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(_HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % sum(map(len, pieces)))
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.9)
        answer = await reader.read()
        writer.close()
        return answer

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /ai/ping?" + b"x" * HEAD_BYTES + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /ai/ping HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * HEAD_BYTES + b"\r\n\r\n",
        b"GET /ai/ping HTTP/1.1\r\nHost: localhost\r\n" + b"X-Many: 1234567890\r\n" * 3000 + b"\r\n",
        b"GET /ai/ping HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1_000_000,
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 1_000_000,
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n \r\n0\r\nX: " + b"x" * 1_000_000,
    ],
    ids=["address", "header", "many headers", "header without end", "extension", "trailer"],
)
def test_what_is_too_long_is_a_400_at_once(server: Server, request_bytes: bytes):
    async def ask() -> bytes:
        url = httpx.URL(server.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(request_bytes)
        try:
            return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        finally:
            writer.transport.abort()

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 400 ")


def test_long_tokens_and_requests_one_after_the_other_pass(server: Server):
    with httpx.Client(base_url=server.url) as client:
        for _ in range(3):
            asked = client.get("/ai/ping", headers={"X-Long": "x" * (HEAD_BYTES - 2000)})
            assert asked.status_code == 200


def test_a_websocket_is_not_offered(server: Server):
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
    }
    assert httpx.get(f"{server.url}/ai/ping", headers=upgrade).status_code == 200
    assert httpx.get(f"{server.url}/nowhere", headers=upgrade).status_code == 404


def test_two_requests_in_one_piece_are_both_answered(server: Server):
    async def ask() -> bytes:
        url = httpx.URL(server.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        one = b"GET /ai/ping HTTP/1.1\r\nHost: localhost\r\n"
        writer.write(one + b"\r\n" + one + b"Connection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer

    assert asyncio.run(ask()).count(b"HTTP/1.1 200 ") == 2
