"""A server that keeps the rules of the agent protocol in memory and misbehaves on request."""

import json
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgpack

REFUSED = "refused"  # no connection: the call has no effect
LOST = "lost"  # the call takes effect, its answer is lost

_PREFIX = "/agent_service/api/v1"


@dataclass
class StoredRun:
    """A run as the server knows it; ``events`` and ``screenshots`` are those of each attempt."""

    run_id: int
    modeljson: str
    plan: dict[str, Any]
    step_pause_seconds: float
    status: str = "QUEUED"
    attempt: int = 0
    lease_until: float = 0.0
    is_aborted: bool = False
    events: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    screenshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    ending: dict[str, Any] = field(default_factory=dict)

    def steps(self, attempt: int = 1) -> list[dict[str, Any]]:
        return [event for event in self.events[attempt] if event["type"] == "step"]

    def logs(self, attempt: int = 1) -> list[dict[str, Any]]:
        return [event for event in self.events[attempt] if event["type"] == "log"]


class Refusal(Exception):  # noqa: N818 - an answer, not a failure
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.response = httpx.Response(status, json={"detail": detail})


class ScriptedServer:
    """``faults["/events"]`` is what happens to the next calls of such a path, in order: REFUSED, LOST, a
    status, or None for nothing; ``is_down`` refuses every connection.
    """

    def __init__(self, *, lease_seconds: float = 30.0) -> None:
        self.lease_seconds = lease_seconds
        self.runs: dict[int, StoredRun] = {}
        self.faults: dict[str, deque[Any]] = defaultdict(deque)
        self.calls: list[str] = []
        self.claim_keys: list[str] = []
        self.is_down = False
        self.is_registered = False
        self.largest_body = 0
        self._tokens = 0
        self._claims: dict[str, tuple[int, int]] = {}
        self._changed = threading.Condition()

    def queue_run(self, modeljson: str, *, step_pause_seconds: float = 0.0, **plan: object) -> StoredRun:
        with self._changed:
            settled = {
                "kind": "exploratory",
                "seed": 7,
                "step_limit": 1000,
                "target_coverage": None,
                "test_case": None,
            }
            run = StoredRun(len(self.runs) + 1, modeljson, settled | plan, step_pause_seconds)
            self.runs[run.run_id] = run
            self._changed.notify_all()
            return run

    def abort(self, run: StoredRun) -> None:
        with self._changed:
            run.is_aborted = True

    def expire_tokens(self) -> None:
        with self._changed:
            self._tokens += 1

    def wait_until(self, holds, seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "The server waited in vain."
            time.sleep(0.01)

    def count(self, part: str) -> int:
        return sum(part in call for call in self.calls)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        with self._changed:
            self.calls.append(path)
            self.largest_body = max(self.largest_body, len(request.content))
            fault = next(
                (faults.popleft() for part, faults in self.faults.items() if part in path and faults), None
            )
        if self.is_down or fault == REFUSED:
            raise httpx.ConnectError("Connection refused", request=request)
        if isinstance(fault, int):
            return httpx.Response(fault, json={"detail": f"scripted {fault}"})
        try:
            response = self._answer(request, path)
        except Refusal as refusal:
            response = refusal.response
        if fault == LOST:
            raise httpx.ReadError("Connection reset by peer", request=request)
        return response

    def _answer(self, request: httpx.Request, path: str) -> httpx.Response:
        if path.endswith("/token"):
            with self._changed:
                return httpx.Response(200, json={"access_token": f"token-{self._tokens}", "expires_in": 300})
        if request.headers["Authorization"] != f"Bearer token-{self._tokens}":
            raise Refusal(401, "The token has ended.")
        if path == "/ai/screenshots":
            return self._keep_screenshot(msgpack.unpackb(request.content))
        body = json.loads(request.content or b"{}")
        if path == f"{_PREFIX}/agents":
            self.is_registered = True
            return httpx.Response(
                200, json={"agent_id": 3, "name": "lab-1", "lease_seconds": self.lease_seconds}
            )
        if path == f"{_PREFIX}/agents/disconnect":
            return httpx.Response(200, json={})
        if path == f"{_PREFIX}/claims":
            return self._claim(body)
        with self._changed:
            _, run_id, call = path.removeprefix(_PREFIX + "/").split("/")
            run = self.runs[int(run_id)]
            answers = {"events": self._keep_events, "heartbeat": self._receipt, "finish": self._finish}
            return httpx.Response(200, json=answers[call](run, body))

    def _claim(self, body: dict[str, Any]) -> httpx.Response:
        if not self.is_registered:
            raise Refusal(404, "There is no such agent.")
        self.claim_keys.append(body["claim_key"])
        end = time.monotonic() + body["wait_seconds"]
        with self._changed:
            while True:
                run = self._claimed_before(body["claim_key"]) or self._next_queued()
                if run is not None:
                    self._claims[body["claim_key"]] = (run.run_id, run.attempt)
                    return httpx.Response(200, json=self._claim_of(run))
                if time.monotonic() >= end:
                    return httpx.Response(204)
                self._changed.wait(0.02)

    def _claimed_before(self, key: str) -> StoredRun | None:
        run_id, attempt = self._claims.get(key, (0, 0))
        run = self.runs.get(run_id)
        return run if run and run.status == "RUNNING" and run.attempt == attempt else None

    def _next_queued(self) -> StoredRun | None:
        for run in self.runs.values():
            self._reap(run)
            if run.status == "QUEUED":
                run.status, run.attempt = "RUNNING", run.attempt + 1
                run.lease_until = time.monotonic() + self.lease_seconds
                return run
        return None

    def _reap(self, run: StoredRun) -> None:
        if run.status == "RUNNING" and time.monotonic() > run.lease_until:
            run.status = "QUEUED"

    def _claim_of(self, run: StoredRun) -> dict[str, Any]:
        return {
            "run_id": run.run_id,
            "attempt": run.attempt,
            "execution_id": "0f2b6a7e-0000-0000-0000-000000000000",
            "lease_seconds": self.lease_seconds,
            "model": {"name": "Shop", "modelId": "5c0e", "hierarchyid": 4, "modeljson": run.modeljson},
            "plan": run.plan,
            "hits": [["Home", "Search", 12]],
            "step_pause_seconds": run.step_pause_seconds,
            "asset": None,
        }

    def _check(self, run: StoredRun, attempt: int) -> None:
        self._reap(run)
        if run.status != "RUNNING" or run.attempt != attempt:
            raise Refusal(409, f"Run {run.run_id} is not yours.")
        run.lease_until = time.monotonic() + self.lease_seconds

    def _receipt(self, run: StoredRun, body: dict[str, Any]) -> dict[str, Any]:
        self._check(run, body["attempt"])
        last = len(run.events[run.attempt])
        return {"last": last, "abort": run.is_aborted, "lease_seconds": self.lease_seconds}

    def _keep_events(self, run: StoredRun, body: dict[str, Any]) -> dict[str, Any]:
        self._check(run, body["attempt"])
        stored = run.events[run.attempt]
        if len(body["events"]) > 500:
            raise Refusal(422, "A batch holds at most 500 events.")
        if body["first"] > len(stored) + 1:
            raise Refusal(409, f"The next event is {len(stored) + 1}.")
        stored.extend(body["events"][len(stored) + 1 - body["first"] :])
        return self._receipt(run, body)

    def _finish(self, run: StoredRun, body: dict[str, Any]) -> dict[str, Any]:
        if run.ending.get("attempt") == body["attempt"]:
            return {"status": run.status}
        self._check(run, body["attempt"])
        if body["last"] > len(run.events[run.attempt]):
            raise Refusal(409, "Events are missing.")
        run.ending = body
        run.status = "CANCELLED" if run.is_aborted else body["status"]
        return {"status": run.status}

    def _keep_screenshot(self, fields: dict[str, Any]) -> httpx.Response:
        with self._changed:
            run = self.runs[fields["run_id"]]
            self._check(run, fields["attempt"])
            run.screenshots[fields["artifact_id"]] = fields
        return httpx.Response(202, json={})
