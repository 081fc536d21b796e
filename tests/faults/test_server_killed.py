"""A server that dies while clients report: nothing acknowledged is lost, and no row points at nothing."""

import hashlib
import io
import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select, update

from opendai import tables
from tests.faults.ingest import Ingest
from tests.faults.processes import Server, wait_until

pytestmark = pytest.mark.slow

_KILLS = {"sqlite": 5, "postgresql": 3}
_CLIENTS = 3


def test_nothing_acknowledged_is_lost(
    start_server: Callable[..., Server], fault_database: Callable[[], dict[str, Any]], petclinic: str
):
    seed = random.randrange(10**6)
    sys.stdout.write(f"kill moments of seed {seed}\n")
    moments = random.Random(seed)
    server = start_server(lease_seconds=60, **fault_database())
    with ExitStack() as stack:
        ci = stack.enter_context(server.client("ci"))
        model = ci.create_model("PetClinic", "admin", petclinic)["modeluuid"]
        writers = [_ingest(server, stack, ci, model, number) for number in range(_CLIENTS)]
        walked = ci.start_execution(model_id=model, agent={"agent_id": "any"})
        _set_pause(server, walked["run_id"], 0.05)
        agent = stack.enter_context(server.agent(server.credentials("walker", "agent"), "--max-runs", "1"))
        wait_until(lambda: ci.execution(walked["id"])["attempt"], "the agent has claimed its run")
        for writer in writers:
            writer.start()
        for _ in range(_KILLS["sqlite" if server.database.is_sqlite else "postgresql"]):
            time.sleep(moments.uniform(0.02, 0.6))
            server.process.kill()
            promised = [_promised(writer) for writer in writers]
            server.start()
            for writer, (events, screenshots) in zip(writers, promised, strict=True):
                _check(server, writer.run_id, events, screenshots)
        for writer in writers:
            writer.stop()
            _check(server, writer.run_id, *_promised(writer))
            assert writer.acknowledged_events > 0
            assert writer.acknowledged_screenshots

        assert agent.popen.wait(30) == 0, agent.errors
        found = ci.execution(walked["id"])
        assert (found["status"], found["attempt"]) == ("PASSED", 1)
        orders = [timing["order"] for timing in ci.timings(walked["run_id"])]
        assert orders == list(range(1, found["steps"] + 1))
        assert "Traceback" not in agent.errors


def _ingest(server: Server, stack: ExitStack, ci: Any, model: str, number: int) -> Ingest:
    client = stack.enter_context(server.client(f"writer-{number}", "agent"))
    agent = client.connection.send("POST", "/agent_service/api/v1/agents", json={}).json()
    run_id = ci.start_execution(model_id=model, agent={"agent_id": str(agent["agent_id"])})["run_id"]
    claim = client.connection.send("POST", "/agent_service/api/v1/claims", json={"wait_seconds": 5}).json()
    assert claim["run_id"] == run_id
    return Ingest(client, run_id)


def _set_pause(server: Server, run_id: int, seconds: float) -> None:
    # Over HTTP the pause is whole seconds, which is long for a test.
    with server.database.writing() as session:
        changed = update(tables.Run).where(tables.Run.id == run_id, tables.Run.attempt == 0)
        session.execute(changed.values(step_pause_seconds=seconds))


def _promised(writer: Ingest) -> tuple[int, list[str]]:
    return writer.acknowledged_events, list(writer.acknowledged_screenshots)


def _check(server: Server, run_id: int, events: int, screenshots: list[str]) -> None:
    timing, shot = tables.Timing, tables.Screenshot
    with server.database.reading() as session:
        run = session.get_one(tables.Run, run_id)
        positions = session.scalars(
            select(timing.position).where(timing.run_id == run_id).order_by(timing.position)
        ).all()
        rows = session.scalars(select(shot).where(shot.run_id == run_id)).all()
    assert list(positions) == list(range(1, len(positions) + 1))
    assert len(positions) >= events
    assert run.last_event >= events
    assert {row.artifact_id for row in rows} >= set(screenshots)
    for row in rows:
        content = _object(server, row.object_key).read_bytes()
        assert (len(content), hashlib.sha256(content).digest()) == (row.size, row.sha256)
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()


def _object(server: Server, key: str) -> Path:
    return server.folder / "objects" / "objects" / key
