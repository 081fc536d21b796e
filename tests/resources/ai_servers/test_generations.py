"""/api/rest/latest/ai-servers/{id}/generations: started, done in the background, seen by the group, cancelled."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from starlette.testclient import TestClient

from opendai import tables
from opendai.database import Database, database_clock
from opendai.resources.ai_servers import calls
from opendai.resources.ai_servers.generations import claim, fail, finish, give_up, renew
from opendai.resources.ai_servers.proposals import Draft
from opendai.worker.drafting import draft_one
from tests.conftest import Person, Program
from tests.outbound.scripted import Script, Scripted, scripted
from tests.resources.ai_servers.asking import SERVERS, create, link, wrong
from tests.resources.ai_servers.drafting import (
    CASE,
    OTHER_CASE,
    REQUIREMENT,
    answers,
    begin,
    body,
    drafts,
    eventually,
    look,
    wait_for,
)
from tests.resources.test_models import create_model

pytestmark = pytest.mark.usefixtures("loopback")
STAMP = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")
UNKNOWN = {"message": "There is no generation 1 of the AI server 1."}


class Gate:
    """An AI server that keeps everybody waiting until the test lets one after the other through."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self._passes: list[threading.Event] = []

    def __call__(self, connection: socket.socket, server: Scripted) -> None:
        is_open = threading.Event()
        self._passes.append(is_open)
        self.inside.release()
        is_open.wait(10)
        drafts({**OTHER_CASE, "name": f"By request {self._passes.index(is_open) + 1}"})(connection, server)

    def await_request(self) -> None:
        assert self.inside.acquire(timeout=10)

    def open(self, number: int = 0) -> None:
        self._passes[number].set()

    def open_all(self) -> None:
        for is_open in self._passes:
            is_open.set()


@pytest.fixture
def gate(client: TestClient, admin: Person) -> Iterator[Gate]:
    gate = Gate()
    with scripted(gate) as server:
        create(client, admin, url=server.url)
        yield gate
        gate.open_all()


@pytest.fixture
def idle(app: FastAPI, monkeypatch: pytest.MonkeyPatch, client: TestClient, admin: Person) -> None:
    """An AI server, and a worker that leaves it to the test to ask."""
    monkeypatch.setattr("opendai.worker.loops.draft_one", lambda *_, **__: None)
    monkeypatch.setattr("opendai.worker.loops.claimable", lambda: tables.Generation.id < 0)
    create(client, admin)


def expire(database: Database, generation_id: int = 1) -> None:
    """As if the lease had ended, because its holder is gone."""
    with database.writing() as session:
        row = tables.Generation
        session.execute(update(row).where(row.id == generation_id).values(claimable_from=0.0))


def test_a_generation_is_done_in_the_background(client: TestClient, admin: Person, alice: Person) -> None:
    with scripted(drafts()) as server:
        create(client, admin, url=server.url, timeout_seconds=120)
        response = client.post(
            f"{SERVERS}/1/generations", headers=alice.bearer, json={"requirement": REQUIREMENT}
        )
        started = response.json()
        done = wait_for(client, alice)
    assert response.status_code == 202
    assert response.headers["location"] == link("/1/generations/1")["self"]["href"]
    assert STAMP.fullmatch(started["created_on"])
    progress = {"attempt": 0, "attempts": 3, "elapsed_seconds": 0, "deadline_seconds": 120}
    assert started == {
        "id": 1,
        "ai_server_id": 1,
        "model_id": None,
        "status": "QUEUED",
        "progress": progress,
        "failure": None,
        "requirement": REQUIREMENT,
        "proposals": [],
        "created_by": "alice",
        "created_on": started["created_on"],
        "ended_on": None,
        "_links": link("/1/generations/1"),
    }
    assert STAMP.fullmatch(done["ended_on"])
    assert done == {
        **started,
        "status": "FINISHED",
        "progress": {**progress, "attempt": 1},
        "ended_on": done["ended_on"],
        "proposals": [
            {**CASE, "id": 1, "testcase_id": None},
            {**OTHER_CASE, "id": 2, "testcase_id": None},
        ],
    }
    assert len(server.requests) == 1


def test_the_model_is_described_to_the_server(
    client: TestClient, admin: Person, alice: Person, samples: dict[str, str]
) -> None:
    model = create_model(client, alice, samples["petclinic"])
    template = '{"model": "{{ model }}", "requirement": "{{ requirement }}"}'
    with scripted(drafts()) as server:
        create(client, admin, url=server.url, payload_template=template)
        for number, reference in enumerate((model["modeluuid"].upper(), 1, "1"), 1):
            assert begin(client, alice, model_id=reference)["model_id"] == model["modeluuid"]
            wait_for(client, alice, number)
    for request in server.requests:
        assert b'\\n  Action \\"e_FindOwners\\" -> State \\"FindOwners\\"\\n' in request
        assert len(request) < 25_000


@pytest.mark.parametrize(
    "reference", [9, "9", "00000000-0000-4000-8000-000000000000", "no id", 0, -1, 10**30]
)
def test_a_model_that_is_not_there_is_412(
    client: TestClient, alice: Person, idle: None, database: Database, reference: Any
) -> None:
    given = {"requirement": REQUIREMENT, "model_id": reference}
    response = client.post(f"{SERVERS}/1/generations", headers=alice.bearer, json=given)
    assert response.status_code == 412
    wrong("model_id", response.json())
    with database.reading() as session:
        assert session.scalars(select(tables.Generation)).all() == []


def test_a_model_of_another_group_is_as_one_that_is_not_there(
    client: TestClient, alice: Person, bob: Person, idle: None, samples: dict[str, str]
) -> None:
    model = create_model(client, alice, samples["petclinic"])
    for reference in (model["modeluuid"], 1):
        given = {"requirement": REQUIREMENT, "model_id": reference}
        response = client.post(f"{SERVERS}/1/generations", headers=bob.bearer, json=given)
        error = wrong("model_id", response.json())
        assert error["objectName"] == "generation"
        assert error["errorMessage"].startswith("is neither")


def test_what_is_for_a_model_is_seen_by_its_group_and_the_rest_by_its_owner(
    client: TestClient,
    admin: Person,
    alice: Person,
    bob: Person,
    ci: Program,
    idle: None,
    samples: dict[str, str],
) -> None:
    create_model(client, alice, samples["petclinic"])
    create_model(client, bob, samples["petclinic"], name="Bank", group="bank")
    begin(client, admin, model_id=1)
    begin(client, alice)
    begin(client, bob)
    begin(client, ci)
    begin(client, admin, model_id=2)
    seen = {alice.name: [1, 2], bob.name: [3, 5], admin.name: [1, 2, 3, 4, 5], ci.name: [1, 2, 3, 4, 5]}
    for person in (alice, bob, admin, ci):
        page = client.get(f"{SERVERS}/1/generations", headers=person.bearer).json()
        assert [found["id"] for found in page["_embedded"]["generations"]] == seen[person.name]
        assert page["page"]["totalElements"] == len(seen[person.name])
        for number in range(1, 6):
            path = f"{SERVERS}/1/generations/{number}"
            expected = 200 if number in seen[person.name] else 404
            assert client.get(path, headers=person.bearer).status_code == expected
            if expected == 404:
                assert client.delete(path, headers=person.bearer).status_code == 404
                choice = client.post(f"{path}/accept", headers=person.bearer, json={"proposals": [1]})
                assert choice.status_code == 404


def test_nobody_without_a_users_rights(
    client: TestClient, nobody: Person, lab: Program, alice: Person, idle: None
) -> None:
    begin(client, alice)
    for person in (nobody, lab):
        for method, path in (
            ("POST", ""),
            ("GET", ""),
            ("GET", "/1"),
            ("DELETE", "/1"),
            ("POST", "/1/accept"),
        ):
            response = client.request(
                method, f"{SERVERS}/1/generations{path}", headers=person.bearer, json={}
            )
            assert (response.status_code, response.json()) == (
                403,
                {"message": "This needs a user's rights."},
            )


def test_pages_are_counted_and_sorted(client: TestClient, alice: Person, idle: None) -> None:
    for _ in range(3):
        begin(client, alice)
    path = f"{SERVERS}/1/generations"
    page = client.get(path, headers=alice.bearer, params={"size": 2, "sort": "id,desc"}).json()
    assert [found["id"] for found in page["_embedded"]["generations"]] == [3, 2]
    assert page["page"] == {"size": 2, "totalElements": 3, "totalPages": 2, "number": 0}
    assert set(page["_links"]) == {"first", "self", "next", "last"}
    assert page["_links"]["next"]["href"].endswith(f"{path}?page=1&size=2&sort=id,desc")
    beyond = client.get(path, headers=alice.bearer, params={"page": 9}).json()
    assert "_embedded" not in beyond
    assert client.get(path, headers=alice.bearer, params={"sort": "requirement"}).status_code == 400
    assert client.get(f"{SERVERS}/9/generations", headers=alice.bearer).status_code == 404


def test_a_server_that_is_not_there_is_404(client: TestClient, alice: Person) -> None:
    response = client.post(
        f"{SERVERS}/9/generations", headers=alice.bearer, json={"requirement": REQUIREMENT}
    )
    assert (response.status_code, response.json()) == (404, {"message": "There is no AI server 9."})


def test_a_generation_belongs_to_its_server(client: TestClient, admin: Person, idle: None) -> None:
    create(client, admin, name="Other")
    begin(client, admin)
    response = client.get(f"{SERVERS}/2/generations/1", headers=admin.bearer)
    assert response.json() == {"message": "There is no generation 1 of the AI server 2."}
    assert client.delete(f"{SERVERS}/1", headers=admin.bearer).status_code == 204
    assert client.get(f"{SERVERS}/1/generations/1", headers=admin.bearer).json() == UNKNOWN


def test_no_more_than_ten_of_one_caller_wait(
    client: TestClient, alice: Person, bob: Person, idle: None
) -> None:
    for _ in range(10):
        begin(client, alice)
    path = f"{SERVERS}/1/generations"
    response = client.post(path, headers=alice.bearer, json={"requirement": REQUIREMENT})
    assert (response.status_code, response.headers["retry-after"]) == (429, "10")
    begin(client, bob)
    assert client.delete(f"{path}/1", headers=alice.bearer).status_code == 204
    begin(client, alice)


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
            left = session.scalar(select(tables.Generation.claimable_from - database_clock()))
        for attempt in (2, 3):
            expire(database)
            eventually(lambda number=attempt: len(server.requests) == number)
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
    client: TestClient, alice: Person, gate: Gate, app: FastAPI
) -> None:
    at_once = app.state.settings.ai_server_calls
    for number in range(1, at_once + 1):
        begin(client, alice)
        gate.await_request()
        client.delete(f"{SERVERS}/1/generations/{number}", headers=alice.bearer)
    begin(client, alice)
    # For longer than it takes until a drafter hears that its work was cancelled.
    assert not gate.inside.acquire(timeout=app.state.settings.lease_seconds / 3 + 1)
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
        first = claim(session, lease_seconds=60)
        assert first is not None
        assert claim(session, lease_seconds=60) is None
        assert renew(session, first, lease_seconds=60)
    expire(database)
    with database.writing() as session:
        second = claim(session, lease_seconds=60)
        assert second is not None
        failure = calls.StageFailed("connection", "It broke off.", pause_seconds=5)
        late = [
            renew(session, first, lease_seconds=60),
            fail(session, first, failure),
            finish(session, first, [Draft.model_validate(OTHER_CASE)]),
        ]
        assert late == [False] * 3
        assert finish(session, second, [Draft.model_validate(CASE)])
        assert not renew(session, second, lease_seconds=60)
    found = look(client, admin)
    assert (found["status"], [case["name"] for case in found["proposals"]]) == ("FINISHED", [CASE["name"]])


def test_after_three_claims_without_an_outcome_it_has_failed(
    client: TestClient, admin: Person, idle: None, database: Database
) -> None:
    begin(client, admin)
    for attempt in (1, 2, 3):
        with database.writing() as session:
            task = claim(session, lease_seconds=60)
            assert task is not None
            assert task.generation.attempt == attempt
            give_up(session)
        expire(database)
    with database.writing() as session:
        assert claim(session, lease_seconds=60) is None
        give_up(session)
    found = look(client, admin)
    assert (found["status"], found["failure"]["stage"]) == ("FAILED", "attempts")


def test_a_server_that_stops_hands_back_what_it_waits_for(
    client: TestClient, alice: Person, app: FastAPI, database: Database, idle: None, loopback: None
) -> None:
    stopping, gate = threading.Event(), Gate()
    with scripted(gate) as server:
        with database.writing() as session:
            session.execute(update(tables.AiServer).values(url=server.url))
        begin(client, alice)

        def work() -> None:
            draft_one(database, app.state.ai_server_calls, lease_seconds=60, stopping=stopping)

        drafting = threading.Thread(target=work)
        drafting.start()
        gate.await_request()
        stopping.set()
        drafting.join(2)
        assert not drafting.is_alive()
        gate.open_all()
    assert look(client, alice)["status"] == "RUNNING"
    with database.writing() as session:
        task = claim(session, lease_seconds=60)
    assert task is not None
    assert task.generation.attempt == 2


def test_the_lease_is_renewed_for_as_long_as_the_server_thinks(
    client: TestClient, alice: Person, app: FastAPI, database: Database, idle: None
) -> None:
    stopping, gate = threading.Event(), Gate()

    def claimable_from() -> float:
        with database.reading() as session:
            return session.scalars(select(tables.Generation.claimable_from)).one()

    def work() -> None:
        draft_one(database, app.state.ai_server_calls, lease_seconds=0.3, stopping=stopping)

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
    app: FastAPI,
    database: Database,
    idle: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(app.state.ai_server_calls, "ask", ask)
    begin(client, alice)
    with pytest.raises(ZeroDivisionError):
        draft_one(database, app.state.ai_server_calls, lease_seconds=60, stopping=threading.Event())


@pytest.mark.parametrize("lost", ["model", "user"])
def test_what_it_belongs_to_may_go(
    client: TestClient,
    admin: Person,
    alice: Person,
    idle: None,
    samples: dict[str, str],
    database: Database,
    lost: str,
) -> None:
    create_model(client, alice, samples["petclinic"])
    begin(client, alice, **({"model_id": 1} if lost == "model" else {}))
    path = "/ai/models/1" if lost == "model" else f"/ai/users/{alice.id}"
    assert client.delete(path, headers=admin.bearer).status_code == 200
    response = client.get(f"{SERVERS}/1/generations/1", headers=admin.bearer)
    assert response.status_code == (404 if lost == "model" else 200)


def test_holding_nothing_while_the_server_thinks(
    client: TestClient, alice: Person, gate: Gate, database: Database, app: FastAPI
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
    eventually(lambda: database.engine.pool.checkedout() == 0)
    assert look(client, alice)["status"] == "RUNNING"
