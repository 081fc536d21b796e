"""/api/rest/latest/ai-servers/{id}/test: what was sent, what came back, and who may ask."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, update

from opendai import tables
from opendai.api.server import Server
from opendai.database import Database
from tests.arranging.parts import connections_in_use
from tests.conftest import Person, Program
from tests.inprocess import TestClient
from tests.outbound.scripted import Script, Scripted, scripted
from tests.resources.ai_servers.asking import SERVERS, TOKEN, create, link, wrong
from tests.resources.ai_servers.drafting import CASE, OTHER_CASE, answers, attempt, body, drafts, outcome

pytestmark = pytest.mark.usefixtures("loopback")


def set_token(client: TestClient, admin: Person, token: str = TOKEN) -> None:
    response = client.post(f"{SERVERS}/1/credentials", headers=admin.bearer, json={"token": token})
    assert response.status_code == 200


def test_a_test_shows_what_was_sent_and_what_came_back(client: TestClient, admin: Person) -> None:
    with scripted(drafts()) as server:
        create(client, admin, url=f"{server.url}v1")
        set_token(client, admin)
        response = attempt(client, admin, requirement='Say "ä"\n{{ model }}')
    payload = '{"content": "Say \\"\\u00e4\\"\\n{{ model }}"}'
    text = json.dumps({"testCases": [CASE, OTHER_CASE]})
    assert (response.status_code, response.json()) == (
        200,
        {
            "is_successful": True,
            "failure": None,
            "request": {
                "method": "POST",
                "url": f"{server.url}v1",
                "headers": {
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                    "Authorization": "Bearer ***",
                },
                "payload": payload,
            },
            "status": 200,
            "text": text,
            "testCases": [CASE, OTHER_CASE],
            "_links": link("/1/test"),
        },
    )
    [request] = server.requests
    assert request.startswith(b"POST /v1 HTTP/1.1\r\n")
    assert f"\r\nAuthorization: Bearer {TOKEN}\r\n".encode() in request
    assert request.endswith(b"\r\n\r\n" + payload.encode())


@pytest.mark.parametrize(
    ("change", "header"),
    [
        ({"authentication_header": "X-Api-Key", "authentication_scheme": ""}, ("X-Api-Key", "")),
        ({"authentication_scheme": "Key"}, ("Authorization", "Key ")),
    ],
)
def test_the_token_goes_where_the_server_wants_it(
    client: TestClient, admin: Person, change: dict[str, str], header: tuple[str, str]
) -> None:
    with scripted(drafts()) as server:
        create(client, admin, url=server.url, **change)
        set_token(client, admin)
        shown = outcome(client, admin)["request"]["headers"]
    assert shown[header[0]] == f"{header[1]}***"
    assert f"\r\n{header[0]}: {header[1]}{TOKEN}\r\n".encode() in server.requests[0]


def test_without_credentials_no_token_is_sent(client: TestClient, admin: Person) -> None:
    with scripted(drafts()) as server:
        create(client, admin, url=server.url)
        assert set(outcome(client, admin)["request"]["headers"]) == {"Content-Type", "Accept"}
    assert b"authorization" not in server.requests[0].lower()


def test_a_server_that_repeats_the_token_does_not_tell_it_to_anybody(
    client: TestClient, admin: Person
) -> None:
    case = {**OTHER_CASE, "description": f"I was told {TOKEN}."}
    with scripted(drafts(case)) as server:
        create(client, admin, url=server.url)
        set_token(client, admin)
        response = attempt(client, admin)
    assert TOKEN not in response.text
    assert response.json()["testCases"][0]["description"] == "I was told ***."


def test_nothing_is_stored(client: TestClient, admin: Person, database: Database) -> None:
    with scripted(drafts()) as server:
        create(client, admin, url=server.url)
        assert outcome(client, admin)["is_successful"]
    with database.reading() as session:
        assert session.scalars(select(tables.Generation)).all() == []
        assert session.scalars(select(tables.TestCase)).all() == []


@pytest.mark.parametrize(
    ("change", "script", "text"),
    [
        ({"json_path": None}, answers(json.dumps({"testCases": [OTHER_CASE]}).encode()), None),
        ({"json_path": "$"}, answers(json.dumps({"testCases": [OTHER_CASE]}).encode()), None),
        ({"json_path": "[0]"}, answers(json.dumps([{"testCases": [OTHER_CASE]}]).encode()), None),
        ({}, answers(body(f"```json\n{json.dumps({'testCases': [OTHER_CASE]})}\n```")), "```json\n"),
    ],
)
def test_the_text_may_be_the_whole_answer_or_json_by_itself_or_fenced(
    client: TestClient, admin: Person, change: dict[str, Any], script: Script, text: str | None
) -> None:
    with scripted(script) as server:
        create(client, admin, url=server.url, **change)
        found = outcome(client, admin)
    assert (found["failure"], found["testCases"]) == (None, [OTHER_CASE])
    assert found["text"].startswith(text or "{")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (None, "has no payload_template"),
        ("no JSON", "invalid JSON: Expecting value at line 1, column 1"),
        ("[{{ requirement }}]", "line 1, column 2"),
    ],
)
def test_a_template_that_cannot_be_sent_is_not_sent(
    client: TestClient, admin: Person, template: str | None, reason: str
) -> None:
    with scripted(drafts()) as server:
        create(client, admin, url=server.url, payload_template=template)
        found = outcome(client, admin)
    assert found["failure"]["stage"] == "template"
    assert reason in found["failure"]["message"]
    assert (found["is_successful"], found["request"], found["status"], found["text"]) == (
        False,
        None,
        None,
        None,
    )
    assert server.requests == []


def test_a_token_that_cannot_be_read_is_a_stage_of_its_own(
    client: TestClient, admin: Person, database: Database
) -> None:
    with scripted(drafts()) as server:
        create(client, admin, url=server.url)
        with database.writing() as session:
            session.execute(update(tables.AiServer).values(token=b"x" * 40))
        assert outcome(client, admin)["failure"]["stage"] == "credentials"
    assert server.requests == []


def test_no_more_than_so_many_are_asked_at_once_and_the_rest_of_the_server_works(
    client: TestClient, admin: Person, app: Server, database: Database
) -> None:
    inside, going_on = threading.Semaphore(0), threading.Event()

    def wait(connection: socket.socket, server: Scripted) -> None:
        inside.release()
        going_on.wait(10)
        drafts()(connection, server)

    at_once = app.state.parts.settings.ai_server_calls
    with scripted(wait) as server, ThreadPoolExecutor(at_once) as pool:
        create(client, admin, url=server.url)
        waiting = [pool.submit(attempt, client, admin) for _ in range(at_once)]
        for _ in waiting:
            assert inside.acquire(timeout=10)
        refused = attempt(client, admin)
        # Nothing of the database is held: SQLite has one writer, and here it is free.
        begun = time.monotonic()
        changed = client.patch(f"{SERVERS}/1", headers=admin.bearer, json={"description": "Thinks long."})
        assert (changed.status_code, time.monotonic() - begun < 2) == (200, True)
        assert connections_in_use(database) <= 1
        going_on.set()
        assert [found.result().json()["failure"] for found in waiting] == [None] * at_once
        assert attempt(client, admin).json()["is_successful"]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    assert refused.json() == {"message": "Too many AI servers are asked at once. Try again in a moment."}


@pytest.mark.parametrize("requirement", [None, 1, "", " \n", "x" * 20_001, "a\0b", ["x"]])
def test_a_requirement_that_cannot_be_is_412(client: TestClient, admin: Person, requirement: Any) -> None:
    create(client, admin)
    response = attempt(client, admin, requirement=requirement)
    assert response.status_code == 412
    wrong("requirement", response.json())


def test_only_administrators_try_a_server(
    client: TestClient, admin: Person, alice: Person, nobody: Person, lab: Program, ci: Program
) -> None:
    with scripted(drafts()) as server:
        create(client, admin, url=server.url)
        for person in (alice, nobody, lab):
            assert attempt(client, person).status_code == 403
        assert server.requests == []
        assert attempt(client, ci).json()["is_successful"]


def test_a_server_that_is_unknown_is_404(client: TestClient, admin: Person) -> None:
    response = attempt(client, admin, server_id=9)
    assert (response.status_code, response.json()) == (404, {"message": "There is no AI server 9."})
