"""`python -m bench.logins`: how long others wait for their answers while 64 connections log in without a pause.

Ends with 1 when the 99th percentile of one of the answers is over the limit.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from tests.services import PostgresServer

from bench.load.connection import Address
from bench.servers import serving
from opendai.installation import install
from opendai.settings import Settings

CONNECTIONS = 64
LIMIT_MILLISECONDS = 500.0
ASKED = ("/ai/ping", "/ai/agents")
PASSWORD = "correct horse battery staple"
# Between two requests of one who measures: a waiting client, and not a second flood.
_PAUSE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds that one kind of request took, on the quiet server and in the flood."""

    path: str
    quiet: list[float]
    flooded: list[float]

    @property
    def is_within_limit(self) -> bool:
        return slow_end(self.flooded) <= LIMIT_MILLISECONDS


def slow_end(times: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(times, n=100, method="inclusive")[98]


def main() -> int:
    """The exit code: 0 when every answer is within the limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.logins", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the quiet and of the flood")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opendai-bench-")))
        settings = stack.enter_context(_settings(arguments.database, folder))
        install(settings)
        server = stack.enter_context(serving(settings, folder))
        flooding = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
        token = _log_in(server.address)
        quiet = asyncio.run(measure(server.address, token, arguments.seconds))
        flood = flooding.submit(run_flood, server.address, PASSWORD, arguments.seconds + 1)
        # Until the other process has started and its connections are open.
        time.sleep(1)
        flooded = asyncio.run(measure(server.address, token, arguments.seconds))
        statuses = flood.result()
    results = [Result(path, quiet[path], flooded[path]) for path in ASKED]
    Console().print(_table(results, arguments.database, statuses))
    return 0 if all(result.is_within_limit for result in results) else 1


@contextmanager
def _settings(database: str, folder: Path) -> Iterator[Settings]:
    chosen: dict[str, Any] = {"data_dir": folder / "data", "admin_password": PASSWORD, "log_format": "json"}
    if database == "sqlite":
        yield Settings(**chosen)
        return
    with PostgresServer() as server:
        yield Settings(**chosen, database_url=server.create_database("opendai"))


def _log_in(address: Address) -> str:
    given = {"username": "admin", "password": PASSWORD}
    response = httpx.post(f"http://{address[0]}:{address[1]}/ai/auth", json=given, trust_env=False)
    return str(response.raise_for_status().json()["access_token"])


def run_flood(address: Address, password: str, seconds: float) -> Counter[int]:
    """How often each status was answered to those who log in."""
    return asyncio.run(_flood(address, password, seconds))


async def _flood(address: Address, password: str, seconds: float) -> Counter[int]:
    statuses: Counter[int] = Counter()
    body = json.dumps({"username": "admin", "password": password})
    request = _request("POST", "/ai/auth", f"Content-Type: application/json\r\nContent-Length: {len(body)}")
    ends = time.monotonic() + seconds

    async def log_in_again_and_again() -> None:
        reader, writer = await asyncio.open_connection(*address)
        while time.monotonic() < ends:
            writer.write(request + body.encode())
            statuses[await _status(reader)] += 1
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(log_in_again_and_again() for _ in range(CONNECTIONS)))
    return statuses


async def measure(address: Address, token: str, seconds: float) -> dict[str, list[float]]:
    """Milliseconds of each answer, by path (those in ASKED); each path is asked on a connection of its own."""
    times: dict[str, list[float]] = {path: [] for path in ASKED}
    ends = time.monotonic() + seconds

    async def ask(path: str) -> None:
        reader, writer = await asyncio.open_connection(*address)
        while time.monotonic() < ends:
            started = time.perf_counter()
            writer.write(_request("GET", path, f"Authorization: Bearer {token}"))
            status = await _status(reader)
            times[path].append(1000 * (time.perf_counter() - started))
            if status != 200:
                raise RuntimeError(f"GET {path} was answered with {status}.")
            await asyncio.sleep(_PAUSE_SECONDS)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(ask(path) for path in ASKED))
    return times


def _request(method: str, path: str, header: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode()


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of an answer that is read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(line for line in head.split("\r\n") if line.startswith("content-length: "))
    await reader.readexactly(int(length.removeprefix("content-length: ")))
    return int(head.split(" ", 2)[1])


def _table(results: list[Result], database: str, statuses: Counter[int]) -> Table:
    told = ", ".join(f"{count:,} times {status}" for status, count in sorted(statuses.items()))
    table = Table(
        title=f"Answers while {CONNECTIONS} connections log in, {database}",
        caption=f"Milliseconds: median, 99th percentile, slowest. The logins were answered {told}.",
    )
    for heading in ("", "quiet", "in the flood", "limit", ""):
        table.add_column(heading, no_wrap=True)
    for result in results:
        table.add_row(
            result.path,
            _spread(result.quiet),
            _spread(result.flooded),
            f"{LIMIT_MILLISECONDS:.0f}",
            "within" if result.is_within_limit else "OVER",
        )
    return table


def _spread(times: list[float]) -> str:
    return f"{statistics.median(times):.1f}  {slow_end(times):.1f}  {max(times):.1f}"


if __name__ == "__main__":
    sys.exit(main())
