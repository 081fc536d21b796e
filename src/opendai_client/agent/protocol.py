"""The calls of the agent protocol, version 1, each sent once."""

from dataclasses import dataclass
from typing import Any, TypeVar

import msgpack
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from opendai_client.agent.drivers.port import Screenshot
from opendai_client.connection import Connection, answer
from opendai_client.errors import ServerUnreachable

_PREFIX = "/agent_service/api/v1"
# The server may take the whole wait before it answers, and the answer needs its own time on the way.
_GRACE_SECONDS = 15.0


class _Message(BaseModel):
    """A later server may send more fields; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


_Answer = TypeVar("_Answer", bound=_Message)


class Registration(_Message):
    """The identity of the agent at the server."""

    agent_id: int
    name: str
    lease_seconds: float = Field(gt=0)


class ClaimedModel(_Message):
    name: str
    modeljson: str


class ClaimedPlan(_Message):
    """How to walk; the kinds are the engine's."""

    kind: str
    seed: int
    step_limit: int
    target_coverage: float | None = None
    test_case: str | None = None


class Claim(_Message):
    """A run to walk, and the lease on it."""

    run_id: int
    attempt: int
    execution_id: str
    lease_seconds: float = Field(gt=0)
    model: ClaimedModel
    plan: ClaimedPlan
    hits: tuple[tuple[str, str, int], ...] = ()
    step_pause_seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    asset: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"run {self.run_id}, attempt {self.attempt}"


class Receipt(_Message):
    """The answer to a report or a heartbeat: ``last`` is the number of the last event the server holds."""

    last: int
    abort: bool
    lease_seconds: float = Field(gt=0)


class _Finished(_Message):
    status: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as its agent sees it."""

    status: str
    reason: str
    failed_state: str | None = None
    failed_action: str | None = None
    unreachable: tuple[str, ...] = ()


class AgentService:
    """One method a call: ClientError is a refusal, ServerUnreachable the lack of a usable answer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def register(self, *, version: str, drivers: list[str]) -> Registration:
        return self._call("/agents", {"version": version, "drivers": drivers}, Registration)

    def claim(self, claim_key: str, *, wait_seconds: int) -> Claim | None:
        """A run, or None if none came up in ``wait_seconds``; the same key brings the same claim again."""
        response = self._connection.send(
            "POST",
            f"{_PREFIX}/claims",
            json={"wait_seconds": wait_seconds, "claim_key": claim_key},
            timeout_seconds=wait_seconds + _GRACE_SECONDS,
        )
        return None if response.status_code == 204 else _read(Claim, answer(response))

    def report(self, claim: Claim, *, first: int, events: list[str]) -> Receipt:
        """``events`` are JSON texts already: they were measured as such against the limit of a body."""
        body = f'{{"attempt": {claim.attempt}, "first": {first}, "events": [{",".join(events)}]}}'
        response = self._connection.send(
            "POST",
            f"{_PREFIX}/runs/{claim.run_id}/events",
            content=body.encode(),
            content_type="application/json",
        )
        return _read(Receipt, answer(response))

    def heartbeat(self, claim: Claim) -> Receipt:
        return self._call(f"/runs/{claim.run_id}/heartbeat", {"attempt": claim.attempt}, Receipt)

    def upload(self, claim: Claim, screenshot: Screenshot, *, artifact_id: str, timestamp: str) -> None:
        fields = {
            "run_id": claim.run_id,
            "attempt": claim.attempt,
            "image": screenshot.image,
            "name": screenshot.name,
            "state": screenshot.state,
            "action": screenshot.action,
            "script": screenshot.script,
            "suite": screenshot.suite,
            "timestamp": timestamp,
            "capture_type": screenshot.capture_type,
            "content_type": screenshot.content_type,
            "artifact_id": artifact_id,
        }
        self._connection.send(
            "POST", "/ai/screenshots", content=msgpack.packb(fields), content_type="application/msgpack"
        )

    def finish(self, claim: Claim, ending: Ending, *, last: int) -> str:
        """The run's final status, which is CANCELLED if it was aborted meanwhile."""
        body = {
            "attempt": claim.attempt,
            "last": last,
            "status": ending.status,
            "reason": ending.reason,
            "failed_state": ending.failed_state,
            "failed_action": ending.failed_action,
            "unreachable": list(ending.unreachable),
        }
        return self._call(f"/runs/{claim.run_id}/finish", body, _Finished).status

    def disconnect(self) -> None:
        self._connection.send("POST", f"{_PREFIX}/agents/disconnect", timeout_seconds=5.0)

    def _call(self, path: str, body: dict[str, Any], expected: type[_Answer]) -> _Answer:
        return _read(expected, answer(self._connection.send("POST", _PREFIX + path, json=body)))


def _read(expected: type[_Answer], body: object) -> _Answer:
    """A garbled answer counts as no answer: the call may be repeated."""
    try:
        return expected.model_validate(body)
    except ValidationError as error:
        faults = ", ".join(".".join(map(str, fault["loc"])) or "body" for fault in error.errors())
        raise ServerUnreachable(f"The answer is not as the agent protocol says: {faults}.") from error
