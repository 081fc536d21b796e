"""The jobs of a server."""

import threading
from typing import Any

from sqlalchemy import update

from opendai import tables
from opendai.api.server import Server
from opendai.database import Database
from opendai.worker.jobs import jobs_of
from opendai.worker.leases import end_leases
from tests.arranging.walking import ANY_AGENT, HandAgent, start
from tests.conftest import Person
from tests.inprocess import TestClient


def test_every_job_has_its_own_name(app: Server) -> None:
    names = [job.name for job in jobs_of(app.state.parts.settings)]
    assert len(set(names)) == len(names)


def test_each_ai_server_call_has_a_thread(app: Server) -> None:
    settings = app.state.parts.settings
    drafters = [job for job in jobs_of(settings) if job.name.startswith("drafts")]
    assert len(drafters) == settings.ai_server_calls


def test_jobs_return_when_the_server_stops(app: Server, client: TestClient) -> None:
    stopping = threading.Event()
    stopping.set()
    for job in jobs_of(app.state.parts.settings):
        job.function(app.state.parts, stopping)


def test_a_run_whose_lease_has_ended_waits_again(
    app: Server,
    client: TestClient,
    alice: Person,
    clinic: dict[str, Any],
    agent: HandAgent,
    database: Database,
) -> None:
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    agent.take()
    with database.writing() as session:
        session.execute(update(tables.Run).values(lease_ends=0.0))
    end_leases(app.state.parts, threading.Event())
    assert agent.take()["attempt"] == 2


def test_a_lease_that_has_not_ended_is_kept(
    app: Server, client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    agent.take()
    end_leases(app.state.parts, threading.Event())
    assert agent.claim().status_code == 204
    assert agent.heartbeat(1).status_code == 200
