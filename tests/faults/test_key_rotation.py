"""Keys that change under load: no good token is ever refused, on either of two servers."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from joserfc import jws
from sqlalchemy import func, select

from opendai import tables
from opendai.credentials.key_rotation import rotate_keys
from opendai.credentials.keys import fresh_pair
from opendai.credentials.secrets import load_secret_key
from tests.faults.processes import Server, wait_until

pytestmark = pytest.mark.slow

TOKENS = "/auth/realms/eggplant/protocol/openid-connect/token"
ASKING = 8
# Ten seconds for people; a test need only be slower than the second in which a server reads the keys again.
SECONDS_BEFORE_SIGNING = 3.0


def test_three_rotations_refuse_nobody(
    start_server: Callable[..., Server], fault_database: Callable[[], dict[str, Any]]
):
    settings = {"public_url": "https://dai.example.com", **fault_database()}
    first = start_server(port=_free_port(), **settings)
    with Server(first.folder, port=_free_port(), **settings) as second:
        credentials = first.credentials("ci", "admin")
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
        }
        stopping = threading.Event()
        oldest = _token(first, form)

        def ask(number: int) -> tuple[Counter[int], set[str]]:
            """Get a token from the one server and show it, and the first one of all, to the other."""
            statuses: Counter[int] = Counter()
            kids = set()
            here, there = (first, second) if number % 2 else (second, first)
            with httpx.Client(timeout=20) as client:
                while not stopping.is_set():
                    token = client.post(f"{here.url}{TOKENS}", data=form).json()["access_token"]
                    kids.add(jws.extract_compact(token.encode()).headers()["kid"])
                    for shown in (token, oldest):
                        for server in (here, there):
                            headers = {"Authorization": f"Bearer {shown}"}
                            statuses[client.get(f"{server.url}/ai/auth", headers=headers).status_code] += 1
            return statuses, kids

        with ThreadPoolExecutor(ASKING) as pool:
            asked = [pool.submit(ask, number) for number in range(ASKING)]
            try:
                made = [_rotate(first, form) for _ in range(3)]
                time.sleep(0.5)
            finally:
                stopping.set()
            answers = [future.result() for future in asked]
        statuses = sum((found for found, _ in answers), Counter())
        assert set(statuses) == {200}, statuses
        assert statuses[200] > 100
        # Every key has signed while they asked.
        assert set(made) <= set().union(*(kids for _, kids in answers))
        with first.database.reading() as session:
            assert session.scalars(select(func.count(tables.SigningKey.id))).one() == 4
        for server in (first, second):
            assert "Traceback" not in server.process.errors


def _free_port() -> int:
    # With a public address a server does not say which port it took.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _token(server: Server, form: dict[str, str]) -> str:
    token: str = httpx.post(f"{server.url}{TOKENS}", data=form).json()["access_token"]
    return token


def _rotate(server: Server, form: dict[str, str]) -> str:
    """A new key; returns once it signs."""
    secret_key = load_secret_key(server.settings.key_file)
    pair = fresh_pair()
    with server.database.writing() as session:
        kid = rotate_keys(session, secret_key, pair, delay=SECONDS_BEFORE_SIGNING).kid

    def signs() -> bool:
        return jws.extract_compact(_token(server, form).encode()).headers()["kid"] == kid

    wait_until(signs, "the new key signs")
    return kid
