"""An object store that takes connections and never answers disturbs nobody but those who need it."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgpack
import pytest

from tests.faults.pictures import picture
from tests.faults.processes import Server, wait_until
from tests.faults.wires import Wire
from tests.services import S3Server

pytestmark = pytest.mark.slow

_UPLOADERS = 8
_FROZEN_SECONDS = 12
_STORE_TIMEOUT_SECONDS = 3
_AGENT = "/agent_service/api/v1"


@dataclass
class Asked:
    """The answers to one kind of request, asked again and again in a thread."""

    ask: Callable[[httpx.Client], httpx.Response]
    address: str
    headers: dict[str, str]
    pause_seconds: float = 0.0
    statuses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.is_over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        with httpx.Client(base_url=self.address, headers=self.headers, timeout=60) as http:
            while not self.is_over.wait(self.pause_seconds):
                started = time.monotonic()
                self.statuses.append(self.ask(http).status_code)
                self.seconds.append(time.monotonic() - started)


@pytest.fixture
def wire(s3_server: S3Server) -> Iterator[Wire]:
    with Wire(int(s3_server.endpoint_url.rsplit(":", 1)[1])) as wire:
        yield wire


def test_a_frozen_store_stops_uploads_and_nothing_else(
    start_server: Callable[..., Server],
    fault_database: Callable[[], dict[str, Any]],
    s3_server: S3Server,
    wire: Wire,
    petclinic: str,
    report: Callable[[str], None],
) -> None:
    storage_url = s3_server.storage_url(s3_server.bucket()).replace(
        s3_server.endpoint_url.rsplit(":", 1)[1], str(wire.port)
    )
    server = start_server(
        storage_url=storage_url,
        store_timeout_seconds=_STORE_TIMEOUT_SECONDS,
        lease_seconds=4,
        **fault_database(),
    )
    with server.client("ci") as ci, server.client("lab", "agent") as lab:
        model = ci.create_model("PetClinic", "admin", petclinic)
        execution = ci.start_execution(model_id=model["modeluuid"], agent={"agent_id": "any"})
        run_id = execution["run_id"]
        lab.connection.send("POST", f"{_AGENT}/agents", json={})
        claim = lab.connection.send("POST", f"{_AGENT}/claims", json={"wait_seconds": 5}).json()
        assert claim["run_id"] == run_id
        body = msgpack.packb({"run_id": run_id, "image": picture(), "name": "HomePage"})
        admin, agent = _bearer(ci), _bearer(lab)

        def upload(http: httpx.Client) -> httpx.Response:
            return http.post("/ai/screenshots", content=body, headers={"Content-Type": "application/msgpack"})

        def heartbeat(http: httpx.Client) -> httpx.Response:
            return http.post(f"{_AGENT}/runs/{run_id}/heartbeat", json={"attempt": 1})

        uploads = [Asked(upload, server.url, admin) for _ in range(_UPLOADERS)]
        reads = Asked(lambda http: http.get("/ai/runs"), server.url, admin, 0.02)
        ready = Asked(lambda http: http.get("/readyz"), server.url, {}, 0.2)
        beats = Asked(heartbeat, server.url, agent, 0.5)
        for each in (*uploads, reads, ready, beats):
            each.start()
        wait_until(lambda: all(202 in upload.statuses for upload in uploads), "pictures are taken")
        before = len(reads.seconds)
        wire.freeze()
        time.sleep(_FROZEN_SECONDS)
        frozen_reads = sorted(reads.seconds[before:])
        wire.thaw()
        since = [len(upload.statuses) for upload in uploads]
        wait_until(
            lambda: all(202 in upload.statuses[n:] for upload, n in zip(uploads, since, strict=True)),
            "pictures are taken again",
        )
        wait_until(server.is_ready, "the server is ready again")
        for each in (*uploads, reads, ready, beats):
            each.stop()

    slowest = max(max(upload.seconds) for upload in uploads)
    report(
        f"frozen for {_FROZEN_SECONDS} s: slowest upload {slowest:.1f} s, slowest of {len(frozen_reads)} reads "
        f"{frozen_reads[-1]:.2f} s, slowest readyz {max(ready.seconds):.1f} s, {len(beats.statuses)} heartbeats"
    )
    assert {status for upload in uploads for status in upload.statuses} == {202, 503}
    assert slowest < _STORE_TIMEOUT_SECONDS + 5
    assert set(reads.statuses) == {200}
    assert frozen_reads[len(frozen_reads) // 2] < 0.5
    assert set(beats.statuses) == {200}
    assert set(ready.statuses) == {200, 503}
    assert max(ready.seconds) < 7


def _bearer(client: Any) -> dict[str, str]:
    return {"Authorization": client.connection.send("GET", "/ai/ping").request.headers["Authorization"]}
