"""`opendai serve` and `opendai demo` as processes: start, first password, stop."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from opendai import tables
from opendai_client.errors import ClientError, ServerUnreachable
from tests.faults.processes import Server, process_environment, wait_until

pytestmark = pytest.mark.slow

_MOST_SECONDS_TO_STOP = 3.0


def test_an_empty_folder_is_served_soon_and_its_password_shown_once(start_server: Callable[..., Server]):
    started = time.monotonic()
    server = start_server(admin_password="")
    seconds = time.monotonic() - started
    sys.stdout.write(f"ready on an empty folder after {seconds:.2f} s\n")
    # Two seconds are the aim on an idle machine; when others compute here too, each gets its share only.
    share = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert seconds < 5 * share
    [shown] = [line for line in server.process.errors.splitlines() if "password" in line]
    password = shown.removeprefix("The administrator is admin with the password ").removesuffix(
        " (shown only now)."
    )
    answer = httpx.post(f"{server.url}/ai/auth", json={"username": "admin", "password": password})
    assert answer.status_code == 200

    assert server.process.stop() < _MOST_SECONDS_TO_STOP
    logged = [json.loads(line) for line in server.process.errors.splitlines() if line != shown]
    assert logged
    assert password not in json.dumps(logged)
    assert password not in server.process.output


def test_a_server_behind_another_address_says_where_it_listens(start_server: Callable[..., Server]):
    server = start_server(public_url="https://dai.example/tests")
    assert httpx.get(f"{server.url}/ai/ping").status_code == 200
    assert server.process.output.endswith(f" listens on {server.url}\n")
    with server.client("ci") as client:
        assert client.agents() == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_stops_while_agents_wait_for_work(start_server: Callable[..., Server], workers: str):
    server = start_server("--embedded-agent", "--workers", workers)
    endings: list[str] = []

    def wait_for_work() -> None:
        with server.client("lab", "agent") as lab:
            lab.connection.send("POST", "/agent_service/api/v1/agents", json={})
            try:
                lab.connection.send("POST", "/agent_service/api/v1/claims", json={"wait_seconds": 30})
            except (ClientError, ServerUnreachable) as error:
                endings.append(type(error).__name__)
            else:
                endings.append("answered")

    waiting = threading.Thread(target=wait_for_work)
    waiting.start()
    with server.client("ci") as ci:
        wait_until(
            lambda: sum(agent["isconnected"] for agent in ci.agents()) == 2, "both agents wait for work"
        )
        # The claim itself comes right after the registration.
        time.sleep(0.5)
        # The connection that asked for the agents is open and idle all the while.
        seconds = server.process.stop()
    sys.stdout.write(f"stopped after {seconds:.2f} s\n")
    waiting.join(10)
    assert endings
    assert seconds < _MOST_SECONDS_TO_STOP
    assert "Traceback" not in server.process.errors
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])))


def test_serve_stops_in_the_middle_of_a_walk_of_its_own(
    start_server: Callable[..., Server], samples: dict[str, str]
):
    server = start_server()
    with server.client("ci") as ci:
        model = ci.create_model("PetClinic", "admin", samples["petclinic"])["modeluuid"]
        started = ci.start_execution(model_id=model, generator="random", step_limit=100_000)
        wait_until(lambda: ci.execution(started["id"])["steps"] > 0, "the server walks")
        assert server.process.stop() < _MOST_SECONDS_TO_STOP
        with server.database.reading() as session:
            left = session.get_one(tables.Run, started["run_id"])
        assert (left.status, left.attempt) == ("RUNNING", 1)

        server.start()
        wait_until(lambda: ci.execution(started["id"])["attempt"] == 2, "the next server takes it", seconds=5)
        ci.abort_execution(started["id"])
        wait_until(lambda: ci.execution(started["id"])["status"] == "CANCELLED", "it is aborted")


def test_the_demonstration_ends_well_and_leaves_nothing(tmp_path: Path):
    environment = process_environment() | {"TMPDIR": str(tmp_path)}
    started = time.monotonic()
    demo = subprocess.Popen(
        [sys.executable, "-m", "opendai.cli", "demo", "--exit"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    output, errors = demo.communicate(timeout=90)
    sys.stdout.write(f"the demonstration took {time.monotonic() - started:.1f} s\n")
    assert demo.returncode == 0, errors
    assert output.count("PASSED") >= 2
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)
