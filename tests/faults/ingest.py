"""A client that keeps posting events and screenshots, and remembers what the server has acknowledged."""

import threading
import uuid
from typing import Any

import msgpack

from opendai_client.client import Client
from opendai_client.errors import ClientError, ServerUnreachable
from tests.faults.pictures import picture

_AGENT = "/agent_service/api/v1"
_BATCH = 5


class Ingest:
    """Holds one run and reports on it from a thread until it is told to stop.

    A call that was not answered, or answered 503, is sent again unchanged; any other refusal is `failure`.
    """

    def __init__(self, client: Client, run_id: int) -> None:
        self.run_id = run_id
        self.acknowledged_events = 0
        self.acknowledged_screenshots: list[str] = []
        self.failure: Exception | None = None
        self._client = client
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the call under way is answered; raises its failure."""
        self._stopping.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self.failure:
            raise self.failure

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._report()
                self._upload()
        except Exception as failure:  # noqa: BLE001 - it is raised again in the test's thread
            self.failure = failure

    def _report(self) -> None:
        first = self.acknowledged_events + 1
        steps = [
            {"type": "step", "order": order, "state": "HomePage", "action": "e_FindOwners", "passed": True}
            for order in range(first, first + _BATCH)
        ]
        body = {"attempt": 1, "first": first, "events": steps}
        answer = self._insist(f"{_AGENT}/runs/{self.run_id}/events", {"json": body})
        if answer is not None:
            assert answer["last"] == first + _BATCH - 1
            self.acknowledged_events = answer["last"]

    def _upload(self) -> None:
        identity = str(uuid.uuid4())
        image = picture(len(self.acknowledged_screenshots))
        fields = {"run_id": self.run_id, "attempt": 1, "image": image, "artifact_id": identity}
        answer = self._insist("/ai/screenshots", {"content": msgpack.packb(fields)})
        if answer is not None:
            assert answer == {"artifactid": identity}
            self.acknowledged_screenshots.append(identity)

    def _insist(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The answer, or None if the client was told to stop before there was one."""
        while not self._stopping.is_set():
            try:
                return self._client.connection.send("POST", path, **body).json()
            except ServerUnreachable:
                self._stopping.wait(0.02)
            except ClientError as refused:
                if refused.status != 503:
                    raise
                self._stopping.wait(0.02)
        return None
