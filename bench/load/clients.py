"""The clients: what each of them asks in one turn."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.load.connection import request
from bench.load.driving import Turn

AGENT_SERVICE = "/agent_service/api/v1"
EXECUTIONS = "/execution_service/api/v1/executions"

STEPS = 50
"""In one report, and in one full run."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The same request each time."""

    request: bytes

    def turn(self, number: int) -> Turn:  # noqa: ARG002 - every one is alike
        yield self.request


@dataclass(frozen=True, slots=True)
class Step:
    """A transition of the model."""

    state: str
    action: str
    target: str


@dataclass(frozen=True, slots=True)
class Reporting:
    """The walk of one agent: a batch of steps each time, numbered on from the last."""

    path: str
    token: str
    attempt: int
    walk: Sequence[Step]

    def turn(self, number: int) -> Turn:
        body = _batch(self.attempt, number * len(self.walk) + 1, self.walk)
        yield request("POST", self.path, token=self.token, body=body)


@dataclass(frozen=True, slots=True)
class FullRun:
    """An execution from its start to its end: a user starts it, an agent claims, reports and finishes it."""

    user_token: str
    agent_token: str
    wanted: Mapping[str, object]
    """The body that starts an execution."""
    walk: Sequence[Step]

    def turn(self, number: int) -> Turn:  # noqa: ARG002 - every run is numbered by the server
        yield request("POST", EXECUTIONS, token=self.user_token, body=json.dumps(self.wanted).encode())
        claim = json.loads((yield self._post("claims", b'{"wait_seconds": 5}')))
        run, attempt = f"runs/{claim['run_id']}", claim["attempt"]
        yield self._post(f"{run}/events", _batch(attempt, 1, self.walk))
        end = {"attempt": attempt, "last": len(self.walk), "status": "PASSED"}
        yield self._post(f"{run}/finish", json.dumps(end).encode())

    def _post(self, path: str, body: bytes) -> bytes:
        return request("POST", f"{AGENT_SERVICE}/{path}", token=self.agent_token, body=body)


def _batch(attempt: int, first: int, walk: Sequence[Step]) -> bytes:
    events = ",".join(_event(order, step) for order, step in enumerate(walk, start=first))
    return f'{{"attempt":{attempt},"first":{first},"events":[{events}]}}'.encode()


def _event(order: int, step: Step) -> str:
    # Written out: the names hold no character that JSON escapes, and the load must stay light.
    return (
        f'{{"type":"step","order":{order},"state":"{step.state}","action":"{step.action}",'
        f'"target":"{step.target}","phase":"walk","passed":true,"seconds":1.24,'
        '"started_at":"2026-11-22T09:30:00.120000+00:00"}'
    )
