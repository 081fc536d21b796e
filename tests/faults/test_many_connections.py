"""Two hundred connections at once, reading and writing: every one is answered, and a ping stays quick."""

import asyncio
import sys
import threading
import time
import uuid
from collections import Counter

import httpx
import pytest
from sqlalchemy import func, select

from opendai import tables
from tests.faults.processes import Server

pytestmark = pytest.mark.slow

_CONNECTIONS = 200
_REQUESTS = 12
_SLOWEST_PING_SECONDS = 2.0


def test_two_hundred_connections_are_all_answered(server: Server, petclinic: str):
    mark = uuid.uuid4().hex[:8]
    with server.client(f"many-{mark}") as ci:
        model = ci.create_model(f"Many {mark}", "admin", petclinic)["modeluuid"]
        run_id = ci.start_execution(model_id=model)["run_id"]
        token = ci.connection.send("GET", "/ai/auth").json()["access_token"]
        with server.database.reading() as session:
            before = _lines(session, run_id)
        pings = _Pings(server.url)
        pings.start()
        statuses = asyncio.run(_ask_all(server.url, token, run_id))
        slowest = pings.stop()
    sys.stdout.write(f"slowest ping {slowest:.3f} s\n")
    writes = statuses.pop(("POST", 200))
    assert statuses == {("GET", 200): _CONNECTIONS * _REQUESTS - writes}
    with server.database.reading() as session:
        # The walk that the server makes meanwhile writes lines of its own.
        assert _lines(session, run_id, message="load") == writes == _CONNECTIONS * _REQUESTS // 2
        assert _lines(session, run_id) >= before + writes
    assert slowest < _SLOWEST_PING_SECONDS


async def _ask_all(url: str, token: str, run_id: int) -> Counter[tuple[str, int]]:
    """How often each method was answered with each status."""
    statuses: Counter[tuple[str, int]] = Counter()
    everyone_is_here = asyncio.Barrier(_CONNECTIONS)
    address = httpx.URL(url)

    async def ask(number: int) -> None:
        # Plain streams: two hundred connections of httpx would keep this process busy, not the server.
        reader, writer = await asyncio.open_connection(address.host, address.port)
        await everyone_is_here.wait()
        for turn in range(_REQUESTS):
            if (number + turn) % 2:
                method, path, body = "POST", f"/ai/runlogs/{run_id}", '{"message": "load"}'
            else:
                method, path, body = "GET", "/ai/runs?limit=5", ""
            writer.write(_request(method, path, token, body))
            statuses[method, await _status(reader)] += 1
        writer.close()
        await writer.wait_closed()

    async with asyncio.timeout(60):
        await asyncio.gather(*(ask(number) for number in range(_CONNECTIONS)))
    return statuses


def _request(method: str, path: str, token: str, body: str) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of an answer that is read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(line for line in head.split("\r\n") if line.startswith("content-length: "))
    await reader.readexactly(int(length.removeprefix("content-length: ")))
    return int(head.split(" ", 2)[1])


class _Pings:
    """Somebody else who asks /ai/ping again and again meanwhile."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stopping = threading.Event()
        self._seconds: list[float] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> float:
        """The seconds that the slowest one took."""
        self._stopping.set()
        self._thread.join(10)
        assert len(self._seconds) > 3
        return max(self._seconds)

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30) as client:
            while not self._stopping.wait(0.05):
                started = time.monotonic()
                assert client.get("/ai/ping").status_code == 200
                self._seconds.append(time.monotonic() - started)


def _lines(session, run_id: int, **column: str) -> int:
    query = select(func.count(tables.RunLog.id)).where(tables.RunLog.run_id == run_id).filter_by(**column)
    return session.scalar(query) or 0
