"""Settings of the AI servers API that a test may change, and AI servers that it may ask."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from opendai.outbound.addresses import Allowed
from opendai.outbound.http import Outbound
from opendai.settings import Settings
from tests.conftest import Person
from tests.inprocess import TestClient
from tests.outbound.scripted import scripted
from tests.resources.ai_servers.asking import create
from tests.resources.ai_servers.gate import Gate


@pytest.fixture
def hal(app: FastAPI, settings: Settings) -> Iterator[Callable[..., None]]:
    """Changes settings for this API until the test ends."""
    family: Any = next(
        mount.app for mount in app.routes if isinstance(mount, Mount) and mount.path == "/api/rest/latest"
    )

    def change(**values: Any) -> None:
        family.state.settings = settings.model_copy(update=values)
        family.state.ai_servers_allowed = Allowed.parse(family.state.settings.ai_server_allowed_hosts)

    yield change
    change()


@pytest.fixture
def loopback(app: FastAPI, hal: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """AI servers may be on this machine."""
    hal(ai_server_allowed_hosts="127.0.0.1")
    monkeypatch.setattr(app.state.ai_server_calls, "outbound", Outbound(allowed=Allowed.parse("127.0.0.1")))


@pytest.fixture
def gate(client: TestClient, admin: Person) -> Iterator[Gate]:
    gate = Gate()
    with scripted(gate) as server:
        create(client, admin, url=server.url)
        yield gate
        gate.open_all()


@pytest.fixture
def idle(app: FastAPI, monkeypatch: pytest.MonkeyPatch, client: TestClient, admin: Person) -> None:
    """An AI server, and a worker that leaves it to the test to ask."""
    monkeypatch.setattr("opendai.worker.loops.next_task", lambda *_, **__: None)
    create(client, admin)
