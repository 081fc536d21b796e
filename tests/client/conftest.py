import threading
from contextlib import contextmanager
from typing import Any

import pytest

from opendai_client.agent import loop, persistence, reporter
from opendai_client.agent.loop import Agent
from opendai_client.client import Client
from tests.client.scripted_server import ScriptedServer


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(persistence, "_FIRST_PAUSE_SECONDS", 0.005)
    monkeypatch.setattr(persistence, "_LONGEST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(loop, "_GLANCE_SECONDS", 0.05)
    monkeypatch.setattr(loop, "_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(reporter, "_FLUSH_SECONDS", 0.2)


@pytest.fixture
def server():
    return ScriptedServer()


@pytest.fixture
def client(server):
    return Client("http://server", "lab-1", "s3cret", transport=server.transport())


@pytest.fixture
def walk(client):
    """Lets an agent finish one run, or as many as it is told; fails if that takes long."""

    def walk(driver, *, max_runs=1):
        with at_work(client, driver, max_runs=max_runs) as agent:
            agent.join(10)
            assert not agent.is_alive(), "The agent did not come to an end."

    return walk


class AgentThread(threading.Thread):
    stop: threading.Event
    failure: Any = None


@contextmanager
def at_work(client, driver, **options):
    """An agent in a thread, with its ``stop`` event and, once it has ended, its ``failure``."""
    stop = threading.Event()
    agent = Agent(client, driver, wait_seconds=1, **options)

    def run():
        try:
            agent.run_forever(stop)
        except Exception as error:  # noqa: BLE001 - a test looks at it
            thread.failure = error

    thread = AgentThread(target=run, daemon=True)
    thread.stop = stop
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(5)


@pytest.fixture
def working(client):
    """``with working(driver) as agent``: an agent in a thread that is told to stop at the end."""
    return lambda driver, **options: at_work(client, driver, **options)
