"""Sixty-four connections log in without a pause: others are answered all the while, and soon."""

import asyncio
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import httpx
import pytest
from bench.logins import ASKED, measure, run_flood, slow_end

from tests.faults.processes import ADMIN_PASSWORD, Server

pytestmark = pytest.mark.slow

_SECONDS = 4.0
_MOST_MILLISECONDS = 500.0


def test_a_flood_of_logins_leaves_the_rest_of_the_server_working(server: Server):
    url = httpx.URL(server.url)
    assert url.port
    address = (url.host, url.port)
    given = {"username": "admin", "password": ADMIN_PASSWORD}
    token = httpx.post(f"{server.url}/ai/auth", json=given).raise_for_status().json()["access_token"]
    # In a process of its own, so that what is measured is the server.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as flooding:
        flood = flooding.submit(run_flood, address, ADMIN_PASSWORD, _SECONDS + 2)
        times = asyncio.run(measure(address, token, _SECONDS))
        statuses = flood.result()
    sys.stdout.write(
        f"logins {dict(statuses)}; 99 % of { ({path: slow_end(times[path]) for path in ASKED}) }\n"
    )
    assert set(statuses) == {200, 429}
    # Half a second is the aim on an idle machine; when others compute here too, each gets its share only.
    share = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert all(slow_end(times[path]) < _MOST_MILLISECONDS * share for path in ASKED)


def test_who_is_refused_is_told_when_to_come_back(server: Server):
    """More callers ask at once than the queue holds."""

    async def log_in(client: httpx.AsyncClient) -> httpx.Response:
        given = {"username": "admin", "password": ADMIN_PASSWORD}
        return await client.post("/ai/auth", json=given)

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            return await asyncio.gather(*(log_in(client) for _ in range(60)))

    answers = asyncio.run(ask())
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert len(answers) - len(refused) >= 22
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
