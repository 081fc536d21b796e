"""Generations in the background: tried again or not, canceled, claimed once, and holding nothing meanwhile."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select, update

from opendai import tables
from opendai.api.server import Server
from opendai.database import Database, database_clock
from opendai.resources.ai_servers import calls
from opendai.resources.ai_servers.calls import ServerCalls
from opendai.resources.ai_servers.drafting import (
    claim_generation,
    fail_generation,
    fail_lost_generations,
    finish_generation,
    renew_generation,
)
from opendai.resources.ai_servers.proposals import Draft
from tests.arranging.parts import connections_in_use
from tests.conftest import Person
from tests.inprocess import TestClient
from tests.outbound.scripted import Script, Scripted, scripted
from tests.resources.ai_servers.asking import SERVERS, create
from tests.resources.ai_servers.drafting import (
    CASE,
    OTHER_CASE,
    answers,
    begin,
    body,
    draft_next,
    drafts,
    eventually,
    look,
    wait_for,
    wait_until_asked,
)
from tests.resources.ai_servers.gate import Gate, expire

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("loopback")]

STAMP = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")


def test_what_is_asked_for_again_and_again_waits_as_long_as_it_is_told(
    client: TestClient, admin: Person, database: Database
) -> None:
    busy = answers(b"", status="429 Slow", headers="Retry-After: 77\r\n")
    with scripted(busy) as server:
        create(client, admin, url=server.url)
        begin(client, admin)
        eventually(lambda: look(client, admin)["failure"])
        waiting = look(client, admin)
        with database.reading() as session:
            left = session.scalars(select(tables.Generation.claimable_from - database_clock())).one()
        for attempt in (2, 3):
            expire(database)
            wait_until_asked(server, times=attempt)
            # Only then is the next wait written down, which `expire` is to shorten.
            eventually(lambda: look(client, admin)["status"] != "RUNNING")
        failed = wait_for(client, admin, status="FAILED")
    reason = f"127.0.0.1:{server.port} answered 429 Too Many Requests."
    assert (waiting["status"], waiting["progress"]["attempt"]) == ("QUEUED", 1)
    assert waiting["failure"] == failed["failure"] == {"stage": "status", "message": reason}
    assert 70 < left < 77.5
    assert (failed["progress"]["attempt"], len(server.requests)) == (3, 3)


@pytest.mark.parametrize(
    ("script", "stage"),
    [
        (answers(b"", status="401 No"), "status"),
        (answers(b"", status="500 Oops"), "status"),
        (answers(b"", status="429 Slow", headers="Retry-After: 121\r\n"), "status"),
        (answers(b"{"), "JSON"),
        (answers(b"{}"), "json_path"),
        (answers(body("No.")), "answer shape"),
    ],
)
def test_what_would_fail_again_is_not_asked_again(
    client: TestClient, admin: Person, script: Script, stage: str
) -> None:
    with scripted(script) as server:
        create(client, admin, url=server.url)
        begin(client, admin)
        failed = wait_for(client, admin, status="FAILED")
    assert (failed["failure"]["stage"], failed["proposals"]) == (stage, [])
    assert STAMP.fullmatch(failed["ended_on"])
    assert len(server.requests) == 1


def test_one_that_fails_and_then_works_shows_no_failure(
    client: TestClient, admin: Person, database: Database
) -> None:
    turns: Iterator[Script] = iter([answers(b"", status="503 Down", headers="Retry-After: 0\r\n"), drafts()])

    def script(connection: socket.socket, server: Scripted) -> None:
        next(turns)(connection, server)

    with scripted(script) as server:
        create(client, admin, url=server.url)
        begin(client, admin)
        done = wait_for(client, admin)
    assert (done["progress"]["attempt"], done["failure"], len(done["proposals"])) == (2, None, 2)


def test_cancelling_keeps_nothing_of_what_comes(
    client: TestClient, alice: Person, database: Database, gate: Gate
) -> None:
    begin(client, alice)
    gate.await_request()
    running = look(client, alice)
    path = f"{SERVERS}/1/generations/1"
    responses = [client.delete(path, headers=alice.bearer) for _ in range(2)]
    gate.open_all()
    assert (running["status"], running["progress"]["attempt"]) == ("RUNNING", 1)
    assert [(response.status_code, response.content) for response in responses] == [(204, b"")] * 2
    found = look(client, alice)
    assert (found["status"], found["proposals"], found["failure"]) == ("CANCELLED", [], None)
    assert STAMP.fullmatch(found["ended_on"])


@pytest.mark.slow
def test_what_was_cancelled_goes_on_to_count_as_a_call_until_it_is_answered(
    client: TestClient, alice: Person, gate: Gate, app: Server
) -> None:
    at_once = app.state.parts.settings.ai_server_calls
    for number in range(1, at_once + 1):
        begin(client, alice)
        gate.await_request()
        client.delete(f"{SERVERS}/1/generations/{number}", headers=alice.bearer)
    begin(client, alice)
    # For longer than a drafter takes to notice that its work was canceled.
    assert not gate.inside.acquire(timeout=app.state.parts.settings.lease_seconds / 3 + 1)
    gate.open()
    gate.await_request()
    gate.open_all()
    assert wait_for(client, alice, at_once + 1)["progress"]["attempt"] == 1


def test_cancelling_what_has_ended_changes_nothing(client: TestClient, admin: Person) -> None:
    with scripted(drafts()) as server:
        create(client, admin, url=server.url)
        begin(client, admin)
        done = wait_for(client, admin)
    assert client.delete(f"{SERVERS}/1/generations/1", headers=admin.bearer).status_code == 204
    assert look(client, admin) == done


def test_of_two_who_asked_only_the_last_to_claim_writes(
    client: TestClient, alice: Person, database: Database, gate: Gate
) -> None:
    begin(client, alice)
    gate.await_request()
    expire(database)
    gate.await_request()
    gate.open(0)
    gate.open(1)
    done = wait_for(client, alice)
    assert done["progress"]["attempt"] == 2
    assert [proposal["name"] for proposal in done["proposals"]] == ["By request 2"]


def test_a_claim_is_of_one_and_every_write_names_its_attempt(
    client: TestClient, admin: Person, idle: None, database: Database
) -> None:
    begin(client, admin)
    with database.writing() as session:
        first = claim_generation(session, lease_seconds=60)
        assert first is not None
        assert claim_generation(session, lease_seconds=60) is None
        assert renew_generation(session, first, lease_seconds=60)
    expire(database)
    with database.writing() as session:
        second = claim_generation(session, lease_seconds=60)
        assert second is not None
        failure = calls.StageFailed("connection", "It broke off.", pause_seconds=5)
        late = [
            renew_generation(session, first, lease_seconds=60),
            fail_generation(session, first, failure),
            finish_generation(session, first, [Draft.model_validate(OTHER_CASE)]),
        ]
        assert late == [False] * 3
        assert finish_generation(session, second, [Draft.model_validate(CASE)])
        assert not renew_generation(session, second, lease_seconds=60)
    found = look(client, admin)
    assert (found["status"], [case["name"] for case in found["proposals"]]) == ("FINISHED", [CASE["name"]])


def test_after_three_claims_without_an_outcome_it_has_failed(
    client: TestClient, admin: Person, idle: None, database: Database
) -> None:
    begin(client, admin)
    for attempt in (1, 2, 3):
        with database.writing() as session:
            task = claim_generation(session, lease_seconds=60)
            assert task is not None
            assert task.generation.attempt == attempt
            fail_lost_generations(session)
        expire(database)
    with database.writing() as session:
        assert claim_generation(session, lease_seconds=60) is None
        fail_lost_generations(session)
    found = look(client, admin)
    assert (found["status"], found["failure"]["stage"]) == ("FAILED", "attempts")


def test_a_server_that_stops_hands_back_what_it_waits_for(
    client: TestClient, alice: Person, app: Server, database: Database, idle: None, loopback: None
) -> None:
    stopping, gate = threading.Event(), Gate()
    with scripted(gate) as server:
        with database.writing() as session:
            session.execute(update(tables.AiServer).values(url=server.url))
        begin(client, alice)

        def work() -> None:
            draft_next(app, lease_seconds=60, stopping=stopping)

        drafting = threading.Thread(target=work)
        drafting.start()
        gate.await_request()
        stopping.set()
        drafting.join(2)
        assert not drafting.is_alive()
        gate.open_all()
    assert look(client, alice)["status"] == "RUNNING"
    with database.writing() as session:
        task = claim_generation(session, lease_seconds=60)
    assert task is not None
    assert task.generation.attempt == 2


def test_the_lease_is_renewed_for_as_long_as_the_server_thinks(
    client: TestClient, alice: Person, app: Server, database: Database, idle: None
) -> None:
    stopping, gate = threading.Event(), Gate()

    def claimable_from() -> float:
        with database.reading() as session:
            return session.scalars(select(tables.Generation.claimable_from)).one()

    def work() -> None:
        draft_next(app, lease_seconds=0.3, stopping=stopping)

    with scripted(gate) as server:
        with database.writing() as session:
            session.execute(update(tables.AiServer).values(url=server.url))
        begin(client, alice)
        drafting = threading.Thread(target=work)
        drafting.start()
        gate.await_request()
        first = claimable_from()
        eventually(lambda: claimable_from() >= first + 0.3)
        gate.open_all()
        drafting.join(5)
    done = look(client, alice)
    assert (done["status"], done["progress"]["attempt"]) == ("FINISHED", 1)


def test_a_fault_of_ours_is_not_swallowed(
    client: TestClient,
    alice: Person,
    app: Server,
    database: Database,
    idle: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ServerCalls, "ask", ask)
    begin(client, alice)
    with pytest.raises(ZeroDivisionError):
        draft_next(app, lease_seconds=60, stopping=threading.Event())


def test_holding_nothing_while_the_server_thinks(
    client: TestClient, alice: Person, gate: Gate, database: Database, app: Server
) -> None:
    begin(client, alice)
    gate.await_request()
    others: list[Callable[[], object]] = [
        lambda: begin(client, alice),
        lambda: client.get(SERVERS, headers=alice.bearer),
    ]
    for other in others:
        other()
    # The other drafters may look for work at this moment.
    eventually(lambda: connections_in_use(database) == 0)
    assert look(client, alice)["status"] == "RUNNING"
