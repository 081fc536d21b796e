"""Every operation settles its caller before it reads a body, and has the body before it takes a seat."""

import asyncio
import threading
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from sqlalchemy import text
from starlette.types import Message

from opendai import readiness
from opendai.api.server import Server
from opendai.database import Database
from opendai.storage.files import FileStore
from tests.api.operations import READ_THEIR_TOKEN, Operation, every_operation
from tests.arranging.models import create_model
from tests.arranging.walking import ANY_AGENT, send_screenshot, start
from tests.conftest import Person, Program
from tests.inprocess import TestClient

_LONGEST_SECONDS = 5


class Asking:
    """A request whose body does not come until its client hangs up."""

    def __init__(self, app: Server, operation: Operation, bearer: dict[str, str]) -> None:
        headers = {"host": "testserver", "content-length": "5", "content-type": "application/json", **bearer}
        self._app = app
        self._scope: dict[str, Any] = {
            "type": "http",
            "method": operation.method,
            "path": operation.at("1"),
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 50_000),
            "server": ("testserver", 80),
            "scheme": "http",
            "http_version": "1.1",
        }
        self._is_over = asyncio.Event()
        self.is_awaited = asyncio.Event()
        self.status: int | None = None

    async def answer(self) -> None:
        await self._app(self._scope, self._receive, self._send)

    def hang_up(self) -> None:
        self._is_over.set()

    async def _receive(self) -> Message:
        self.is_awaited.set()
        await self._is_over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self.status = message.get("status", self.status)


@pytest.fixture
def operations(app: Server) -> list[Operation]:
    return list(every_operation(app))


@pytest.fixture
def bearer_for(admin: Person, lab: Program) -> Callable[[Operation], dict[str, str]]:
    """The credentials of someone whom an operation lets in."""
    return lambda operation: (lab if operation.path.startswith("/agent_service") else admin).bearer


def test_a_strangers_body_is_not_read_by_any_operation(
    client: TestClient, app: Server, operations: list[Operation]
) -> None:
    async def ask(operation: Operation) -> None:
        asking = Asking(app, operation, {})
        await asyncio.wait_for(asking.answer(), _LONGEST_SECONDS)
        assert (asking.status, asking.is_awaited.is_set()) == (401, False), operation

    closed = [
        each for each in operations if not each.is_open and (each.method, each.path) not in READ_THEIR_TOKEN
    ]
    assert len(closed) > 100
    for operation in closed:
        client.run(ask(operation))


def test_no_operation_holds_a_seat_while_its_body_is_awaited(
    client: TestClient,
    app: Server,
    database: Database,
    operations: list[Operation],
    bearer_for: Callable[[Operation], dict[str, str]],
) -> None:
    async def ask_all() -> None:
        asking = [
            Asking(app, operation, bearer_for(operation)) for operation in operations if operation.has_body
        ]
        assert len(asking) > 40
        answers = [asyncio.ensure_future(each.answer()) for each in asking]
        for each in asking:
            await asyncio.wait_for(each.is_awaited.wait(), _LONGEST_SECONDS)
        try:
            assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
            await asyncio.wait_for(database.write(_write_something), _LONGEST_SECONDS)
        finally:
            for each in asking:
                each.hang_up()
            await asyncio.gather(*answers)

    client.run(ask_all())


def _write_something(session: Any) -> None:
    session.execute(text("UPDATE models SET name = name"))


def test_every_call_of_the_store_has_a_thread_of_the_store(
    client: TestClient, alice: Person, samples: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, str] = {}
    monkeypatch.setattr(readiness, "_KEPT_SECONDS", 0.0)
    for name in ("put", "is_reachable", "path_for_reading"):
        monkeypatch.setattr(FileStore, name, _watched(getattr(FileStore, name), threads))
    clinic = create_model(client, alice, samples["petclinic"])
    run = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)["run_id"]
    sent = send_screenshot(client, alice.bearer, run_id=run)
    address = client.get(f"/ai/screenshots/{sent.json()['artifactid']}", headers=alice.bearer).headers[
        "location"
    ]
    assert client.get(address).status_code == 200
    assert client.get("/readyz").status_code == 200
    assert {name: thread.rpartition("_")[0] for name, thread in threads.items()} == {
        "put": "opendai-store",
        "path_for_reading": "opendai-store",
        "is_reachable": "opendai-readiness",
    }


def _watched(method: Callable[..., Any], threads: dict[str, str]) -> Callable[..., Any]:
    def call(*args: Any, **named: Any) -> Any:
        threads[method.__name__] = threading.current_thread().name
        return method(*args, **named)

    return call
