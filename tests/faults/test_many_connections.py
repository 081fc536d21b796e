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
_REQUESTS = 6
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
    limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    headers = {"Authorization": f"Bearer {token}"}

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        # Each opens its connection by a request of its own, and only then all go on together.
        async with client.stream("GET", "/ai/ping") as opened:
            await everyone_is_here.wait()
            await opened.aread()
        for turn in range(_REQUESTS):
            if (number + turn) % 2:
                answer = await client.post(f"/ai/runlogs/{run_id}", json={"message": "load"})
            else:
                answer = await client.get("/ai/runs", params={"limit": 5})
            statuses[answer.request.method, answer.status_code] += 1

    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=30) as client:
        await asyncio.gather(*(ask(client, number) for number in range(_CONNECTIONS)))
    return statuses


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
