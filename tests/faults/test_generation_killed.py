"""A server that dies while an AI server thinks: the next one asks again, and the generation is finished once."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from opendai import tables
from tests.faults.processes import Server, wait_until
from tests.outbound.scripted import Scripted, scripted
from tests.resources.ai_servers.asking import GIVEN, SERVERS
from tests.resources.ai_servers.drafting import drafts

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_generation_is_finished_once_although_the_server_ends(
    start_server: Callable[..., Server],
    fault_database: Callable[[], dict[str, Any]],
    petclinic: str,
    is_killed: bool,
):
    has_restarted = threading.Event()

    def think(connection: socket.socket, thinking: Scripted) -> None:
        # The first one is asked for as long as the server lives that asks.
        if len(thinking.requests) == 1:
            has_restarted.wait(60)
        drafts()(connection, thinking)

    with scripted(think) as thinking:
        server = start_server(lease_seconds=2, ai_server_allowed_hosts="127.0.0.1", **fault_database())
        with server.client("ci") as ci:
            model = ci.create_model("PetClinic", "admin", petclinic)["modeluuid"]
            ci.connection.send("POST", SERVERS, json={**GIVEN, "url": thinking.url})
            body = {"requirement": "An owner is found.", "model_id": model}
            ci.connection.send("POST", f"{SERVERS}/1/generations", json=body)
            wait_until(lambda: thinking.requests, "the AI server is asked")
            if is_killed:
                server.process.kill()
            else:
                # The call that it waits for does not keep the server from ending.
                assert server.process.stop() < 5
            server.start()
            path = f"{SERVERS}/1/generations/1"
            wait_until(
                lambda: ci.connection.send("GET", path).json()["status"] == "FINISHED",
                "the generation is finished",
            )
            has_restarted.set()
            found = ci.connection.send("GET", path).json()
            accepted = ci.connection.send("POST", f"{path}/accept", json={"proposals": [1]}).json()

    assert (found["progress"]["attempt"], len(thinking.requests), len(found["proposals"])) == (2, 2, 2)
    assert accepted["accepted"][0]["testcase_name"] == "Find an owner (2)"
    with server.database.reading() as session:
        assert session.scalar(select(func.count(tables.Generation.id))) == 1
        drafted = select(tables.TestCase.name).where(tables.TestCase.origin == "AI")
        assert session.scalars(drafted).all() == ["Find an owner (2)"]
    assert "Traceback" not in server.process.errors
