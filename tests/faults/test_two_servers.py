"""Two servers started at once on one empty folder: one migrates, both serve, one administrator, one key."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from opendai import tables
from tests.faults.processes import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Server]]:
    """Two servers behind one public address that were started at the same moment."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        ports = [listener.getsockname()[1] for listener in listeners]
    settings = {"admin_password": "", "public_url": "https://dai.example.com"}
    servers = [Server(tmp_path / "data", port=port, **settings) for port in ports]
    with ExitStack() as stack:
        for server in servers:
            server.start(is_awaited=False)
            stack.callback(server.__exit__)
        for server in servers:
            server.await_ready()
        yield servers


def test_two_servers_start_at_once_on_one_empty_folder(pair: list[Server]):
    first, second = pair
    shown = [
        line
        for server in pair
        for line in server.process.errors.splitlines()
        if line.startswith("The administrator is admin with the password ")
    ]
    assert len(shown) == 1
    with first.database.reading() as session:
        assert session.scalars(select(tables.User.username)).all() == ["admin"]
        assert len(session.scalars(select(tables.SigningKey.id)).all()) == 1

    password = shown[0].split(" password ")[1].removesuffix(" (shown only now).")
    login = {"username": "admin", "password": password}
    for here, there in ((first, second), (second, first)):
        token = httpx.post(f"{here.url}/ai/auth", json=login).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        made = httpx.post(f"{there.url}/ai/agents", json={"name": f"of {there.url}"}, headers=headers)
        assert made.status_code == 200
        assert len(httpx.get(f"{here.url}/ai/agents", headers=headers).json()) == made.json()["id"]
    for server in pair:
        assert "Traceback" not in server.process.errors
