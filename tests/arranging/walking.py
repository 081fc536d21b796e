"""An agent for tests that speaks the protocol of docs/agents.md by hand, one call at a time."""

import io
import time
import uuid
from typing import Any

import msgpack
from PIL import Image

from tests.conftest import Person, Program
from tests.inprocess import TestClient

EXECUTIONS = "/execution_service/api/v1/executions"
AGENTS = "/agent_service/api/v1"
ANY_AGENT = {"agent_id": "any", "is_hosted_agent": False}


def png(color: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 3), color).save(file, "PNG")
    return file.getvalue()


def start(client: TestClient, person: Person, **fields: Any) -> dict[str, Any]:
    response = client.post(EXECUTIONS, headers=person.bearer, json=fields)
    assert response.status_code == 201, response.text
    return response.json()


def execution(client: TestClient, person: Person, identity: str) -> dict[str, Any]:
    return client.get(f"{EXECUTIONS}/{identity}", headers=person.bearer).json()


def wait_for_end(client: TestClient, person: Person, identity: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        state = execution(client, person, identity)
        if state["status"] != "INCOMPLETE":
            return state
        time.sleep(0.05)
    raise AssertionError(f"the execution did not end: {state}")


class HandAgent:
    """Registered at once; each method is one call and returns the response."""

    def __init__(self, client: TestClient, program: Program) -> None:
        self._client = client
        self._bearer = program.bearer
        self.id = self.post("/agents", {}).json()["agent_id"]

    def post(self, path: str, body: Any) -> Any:
        return self._client.post(AGENTS + path, headers=self._bearer, json=body)

    def claim(self, **fields: Any) -> Any:
        return self.post("/claims", {"wait_seconds": 0, **fields})

    def take(self) -> dict[str, Any]:
        response = self.claim()
        assert response.status_code == 200, response.text
        return response.json()

    def report(self, run_id: int, events: list[dict[str, Any]], *, first: int = 1, attempt: int = 1) -> Any:
        return self.post(f"/runs/{run_id}/events", {"attempt": attempt, "first": first, "events": events})

    def heartbeat(self, run_id: int, *, attempt: int = 1) -> Any:
        return self.post(f"/runs/{run_id}/heartbeat", {"attempt": attempt})

    def finish(
        self, run_id: int, *, last: int = 0, attempt: int = 1, status: str = "PASSED", **fields: Any
    ) -> Any:
        return self.post(
            f"/runs/{run_id}/finish", {"attempt": attempt, "last": last, "status": status, **fields}
        )

    def screenshot(self, run_id: int, *, bearer: dict[str, str] | None = None, **fields: Any) -> Any:
        return send_screenshot(self._client, bearer or self._bearer, run_id=run_id, **fields)


def send_screenshot(client: TestClient, bearer: dict[str, str], **fields: Any) -> Any:
    body = {
        "image": png(),
        "name": "after",
        "timestamp": "2026-11-22T09:30:00.120+00:00",
        "capture_type": "automatic",
        "content_type": "text/html",
        "state": "HomePage",
        "action": "e_StartBrowser",
        "script": "",
        "suite": "PetClinic.suite",
        "artifact_id": str(uuid.uuid4()),
        **fields,
    }
    packed = msgpack.packb({name: value for name, value in body.items() if value is not None})
    return client.post(
        "/ai/screenshots", headers={**bearer, "Content-Type": "application/msgpack"}, content=packed
    )


def step(order: int, state: str = "Initial", action: str = "e_StartBrowser", **fields: Any) -> dict[str, Any]:
    return {
        "type": "step",
        "order": order,
        "state": state,
        "action": action,
        "target": "HomePage",
        "phase": "walk",
        "passed": True,
        "seconds": 0.25,
        **fields,
    }


def log(message: str, **fields: Any) -> dict[str, Any]:
    return {"type": "log", "message": message, **fields}
