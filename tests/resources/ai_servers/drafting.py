"""Generations as tests begin and watch them: AI servers that answer on loopback, and requests to them."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from opendai.api.server import Server
from opendai.resources.ai_servers.calls import ServerCalls
from opendai.worker.drafts import draft, next_task
from tests.conftest import Person
from tests.inprocess import TestClient
from tests.outbound.scripted import Script, Scripted, says
from tests.resources.ai_servers.asking import SERVERS

REQUIREMENT = "A visitor finds an owner."
CASE = {
    "name": "Find an owner",
    "description": "By the last name.",
    "prerequisites": "There are owners.",
    "testSteps": [
        {"index": 1, "action": 'Take "e_FindOwners"', "expectedResult": 'The state is "FindOwners"'},
        {"index": 2, "action": "Type a last name", "expectedResult": ""},
        {"index": 3, "action": "e_Search", "expectedResult": "Owners are listed"},
    ],
}
OTHER_CASE = {"name": "Home", "description": "", "prerequisites": "", "testSteps": []}


def body(text: str) -> bytes:
    """An answer as chat completions give it."""
    return json.dumps({"choices": [{"message": {"content": text}}]}).encode()


def answers(content: bytes, *, status: str = "200 OK", headers: str = "") -> Script:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
    return says(head.encode() + content)


def drafts(*cases: Any) -> Script:
    return answers(body(json.dumps({"testCases": cases or [CASE, OTHER_CASE]})))


def begin(client: TestClient, person: Person, server_id: int = 1, **fields: Any) -> Any:
    response = client.post(
        f"{SERVERS}/{server_id}/generations",
        headers=person.bearer,
        json={"requirement": REQUIREMENT, **fields},
    )
    assert response.status_code == 202, response.text
    return response.json()


def look(client: TestClient, person: Person, generation_id: int = 1) -> Any:
    response = client.get(f"{SERVERS}/1/generations/{generation_id}", headers=person.bearer)
    assert response.status_code == 200, response.text
    return response.json()


def wait_for(client: TestClient, person: Person, generation_id: int = 1, *, status: str = "FINISHED") -> Any:
    found: Any = None

    def is_there() -> bool:
        nonlocal found
        found = look(client, person, generation_id)
        return bool(found["status"] == status)

    eventually(is_there, lambda: f"it is not {status}: {found}")
    return found


def eventually(
    holds: Callable[[], object], what: Callable[[], str] = lambda: "", *, seconds: float = 10.0
) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what()
        time.sleep(0.02)


def wait_until_asked(server: Scripted, *, times: int) -> None:
    eventually(lambda: len(server.requests) == times)


def accept(client: TestClient, person: Person, *chosen: int, generation_id: int = 1, **fields: Any) -> Any:
    return client.post(
        f"{SERVERS}/1/generations/{generation_id}/accept",
        headers=person.bearer,
        json={"proposals": list(chosen), **fields},
    )


def attempt(client: TestClient, person: Person, requirement: Any = REQUIREMENT, server_id: int = 1) -> Any:
    return client.post(
        f"{SERVERS}/{server_id}/test", headers=person.bearer, json={"requirement": requirement}
    )


def outcome(client: TestClient, person: Person) -> Any:
    response = attempt(client, person)
    assert response.status_code == 200, response.text
    return response.json()


def draft_next(app: Server, *, lease_seconds: float, stopping: threading.Event) -> None:
    """Do what waits longest, as the worker would."""
    parts = app.state.parts
    task = next_task(parts.database, lease_seconds=lease_seconds)
    assert task is not None
    calls = ServerCalls(parts.ai_servers, parts.secret_key)
    draft(parts.database, calls, task, lease_seconds=lease_seconds, stopping=stopping)
