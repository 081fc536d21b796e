"""Settings of the AI servers API that a test may change, and AI servers that it may ask."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opendai.api.server import Server
from opendai.outbound.addresses import Allowed
from opendai.settings import Settings
from tests.arranging.parts import replaced
from tests.conftest import Person
from tests.inprocess import TestClient
from tests.outbound.scripted import scripted
from tests.resources.ai_servers.asking import create
from tests.resources.ai_servers.gate import Gate


@pytest.fixture
def hal(app: Server, settings: Settings) -> Iterator[Callable[..., None]]:
    """Changes settings for this API until the test ends."""
    with contextlib.ExitStack() as stack:

        def change(**values: Any) -> None:
            stack.enter_context(replaced(app, settings=settings.model_copy(update=values)))
            allowed = Allowed.parse(app.state.parts.settings.ai_server_allowed_hosts)
            stack.callback(setattr, app.state.parts.ai_servers, "allowed", app.state.parts.ai_servers.allowed)
            app.state.parts.ai_servers.allowed = allowed

        yield change


@pytest.fixture
def loopback(hal: Callable[..., None]) -> None:
    """AI servers may be on this machine."""
    hal(ai_server_allowed_hosts="127.0.0.1")


@pytest.fixture
def gate(client: TestClient, admin: Person) -> Iterator[Gate]:
    gate = Gate()
    with scripted(gate) as server:
        create(client, admin, url=server.url)
        yield gate
        gate.open_all()


@pytest.fixture
def idle(app: Server, monkeypatch: pytest.MonkeyPatch, client: TestClient, admin: Person) -> None:
    """An AI server, and a worker that leaves it to the test to ask."""
    monkeypatch.setattr("opendai.worker.drafts.next_task", lambda *_, **__: None)
    create(client, admin)
