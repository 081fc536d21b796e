"""The log: one JSON object a line, an id for each request, every failure once, and no secret ever."""

import base64
import io
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from sqlalchemy import insert

from opendai import logs, tables
from opendai.api.server import Server as Application
from opendai.resources.agents import AgentRepository
from opendai.resources.models.repository import ModelRepository
from opendai.settings import Settings
from tests.conftest import PASSWORD, Person, Program
from tests.faults.processes import Server
from tests.inprocess import TestClient

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def log(client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """The server's log at its most talkative; gives the objects of the lines that were written so far."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    logs.configure(settings.model_copy(update={"log_level": "DEBUG", "log_format": "json"}))
    # The caller of these tests is in this process too, and its own log is not the server's.
    monkeypatch.setattr(logging.getLogger("httpx2"), "disabled", True)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


def test_each_request_is_one_line(client: TestClient, log: Lines, alice: Person):
    answer = client.get("/ai/runs?limit=5", headers=alice.bearer)
    [line] = [entry for entry in log() if entry.get("logger") == "opendai.requests"]
    assert line.pop("milliseconds") >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    assert line == {
        "address": "203.0.113.9",
        "event": "request",
        "level": "info",
        "logger": "opendai.requests",
        "method": "GET",
        "path": "/ai/runs",
        "request_id": answer.headers["X-Request-Id"],
        "status": 200,
    }


@pytest.mark.parametrize("given", ["a", "build-42.step_7", "A" * 64])
def test_a_plain_request_id_is_taken_over(client: TestClient, log: Lines, given: str):
    answer = client.get("/ai/ping", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given
    assert log()[-1]["request_id"] == given


@pytest.mark.parametrize("given", ["", "A" * 65, "two words", "semi;colon", '{"a": 1}', "é", "tab\tin it"])
def test_any_other_request_id_is_replaced(client: TestClient, log: Lines, given: str):
    answer = client.get("/ai/ping", headers={b"X-Request-Id": given.encode()})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])
    assert log()[-1]["request_id"] == answer.headers["X-Request-Id"]


def test_refusals_have_an_id_too(client: TestClient, log: Lines):
    for path, status in (("/ai/runs", 401), ("/nothing/here", 404), ("/ai/nothing", 404)):
        answer = client.get(path, headers={"X-Request-Id": "mine"})
        assert (answer.status_code, answer.headers["X-Request-Id"]) == (status, "mine")
        assert (log()[-1]["request_id"], log()[-1]["status"]) == ("mine", status)


def test_a_line_break_in_a_path_makes_no_second_line(client: TestClient, log: Lines):
    client.get("/ai/%0a%7B%22event%22:%22forged%22%7D")
    entries = log()
    assert entries[-1]["path"] == '/ai/\n{"event":"forged"}'
    assert all(entry["event"] != "forged" for entry in entries)


@pytest.mark.parametrize(
    ("path", "repository", "method"),
    [("/ai/models", ModelRepository, "search"), ("/ai/agents", AgentRepository, "search")],
)
def test_a_failure_of_ours_is_logged_once_and_not_shown(
    client: TestClient,
    log: Lines,
    alice: Person,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    repository: type,
    method: str,
):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the innards of the server")

    monkeypatch.setattr(repository, method, fail)
    answer = client.get(path, headers={**alice.bearer, "X-Request-Id": "broken-1"})
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] == "broken-1"
    assert answer.json() == {
        "message": "The server failed. Its log has the details under this request id. (broken-1)"
    }
    traced = [entry for entry in log() if "exception" in entry]
    assert [(entry["request_id"], entry["event"], entry["status"]) for entry in traced] == [
        ("broken-1", "request failed", 500)
    ]
    assert "RuntimeError: the innards of the server" in traced[0]["exception"]
    assert traced[0]["exception"].startswith("Traceback")
    monkeypatch.undo()
    assert client.get(path, headers=alice.bearer).status_code == 200


def test_a_failure_before_the_routes_is_logged_once_and_not_shown(
    client: TestClient, app: Application, log: Lines, monkeypatch: pytest.MonkeyPatch
):
    def fail() -> None:
        raise RuntimeError("the innards of the server")

    monkeypatch.setattr(app.state.parts.database, "check", fail)
    answer = client.get("/readyz")
    assert answer.status_code == 500
    identity = answer.headers["X-Request-Id"]
    sentence = f"The server failed. Its log has the details under this request id. ({identity})"
    assert answer.json() == {"detail": sentence}
    assert sum("exception" in entry for entry in log()) == 1


def test_a_failing_statement_keeps_its_values_to_itself(
    client: TestClient, app: Application, log: Lines, admin: Person, monkeypatch: pytest.MonkeyPatch
):
    """Database errors quote what a statement was given; some of that is secret and all is the customer's."""

    def fail(self: ModelRepository, *_: object) -> None:
        row = {"name": "canary-in-a-statement", "id": 1}
        self._session.execute(insert(tables.Group), [row, row])

    monkeypatch.setattr(ModelRepository, "search", fail)
    answer = client.get("/ai/models", headers=admin.bearer)
    assert answer.status_code == 500
    assert "canary" not in answer.text
    written = json.dumps(log())
    assert "IntegrityError" in written
    assert "canary" not in written


def test_a_traceback_for_people_does_not_show_local_variables(
    log: Lines, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    logs.configure(settings.model_copy(update={"log_format": "console"}))
    token = "canary-in-a-variable"
    try:
        int(token[:0])
    except ValueError:
        structlog.get_logger("opendai.test").exception("request failed")
    assert "ValueError: invalid literal" in written.getvalue()
    assert "canary" not in written.getvalue()


def test_no_secret_is_ever_written(
    client: TestClient, app: Application, log: Lines, alice: Person, ci: Program
):
    canaries = _plant_everywhere(client, alice.bearer, ci)
    written = json.dumps(log())
    assert "/ai/auth" in written
    for canary in [*canaries, PASSWORD, ci.secret, alice.bearer["Authorization"].split()[1]]:
        assert canary not in written
    assert app.state.parts.settings.key_file.read_text().strip() not in written


@pytest.mark.slow
def test_no_secret_is_written_by_the_whole_process(tmp_path: Path):
    """The same with the web server around it, whose own log knows the raw requests."""
    with Server(tmp_path / "data", log_level="DEBUG") as server:
        made = server.credentials("ci", "admin")
        program = Program(1, "ci", {}, made.client_id, made.client_secret)
        with httpx.Client(base_url=server.url) as client, closing(server.client("other")) as other:
            token = other.connection.send("GET", "/ai/auth").json()["access_token"]
            canaries = _plant_everywhere(client, {"Authorization": f"Bearer {token}"}, program)
        server.process.stop()
        written = server.process.errors + server.process.output
        assert "/ai/auth" in written
        key = server.settings.key_file.read_text().strip()
        for secret in [*canaries, token, made.client_secret, key, PASSWORD]:
            assert secret not in written
        assert all(isinstance(json.loads(line), dict) for line in server.process.errors.splitlines())


def _plant_everywhere(client: Any, bearer: dict[str, str], program: Program) -> list[str]:
    """Send a secret by every way that takes one, rightly and wrongly, and return what was sent."""
    token_path = "/auth/realms/eggplant/protocol/openid-connect/token"
    grant = {"grant_type": "client_credentials", "client_id": program.client_id}
    client.post(token_path, data={**grant, "client_secret": program.secret})
    client.post(token_path, data={**grant, "client_secret": "canary-secret"})
    client.post(token_path, content=b"client_secret=canary-raw-form")
    client.post(token_path, json={"client_secret": "canary-json-secret"})
    client.get(f"{token_path}?client_secret=canary-secret-in-query")
    basic = base64.b64encode(f"{program.client_id}:canary-basic".encode()).decode()
    client.post(token_path, data=grant, headers={"Authorization": f"Basic {basic}"})
    password = {"grant_type": "password", "username": "alice", "password": "canary-grant-password"}
    client.post(token_path, data={**password, **grant, "client_secret": program.secret})

    client.post("/ai/auth", json={"username": "alice", "password": PASSWORD})
    client.post("/ai/auth", json={"username": "alice", "password": "canary-password"})
    client.post("/ai/auth", data={"username": "alice", "password": "canary-form-password"})
    client.post("/ai/auth", json={"username": 1, "password": ["canary-wrong-type"]})
    client.post(
        "/ai/auth", content=b'{"password": "canary-broken-json"', headers={"Content-Type": "application/json"}
    )
    client.post("/ai/auth?password=canary-in-query", json={})

    client.get("/ai/runs", headers=bearer)
    client.get("/ai/runs", headers={"Authorization": "Bearer canary-token"})
    client.get("/ai/runs", headers={"Authorization": f"{bearer['Authorization']}canary-tail"})
    client.get("/ai/runs?access_token=canary-token-in-query", headers=bearer)
    client.get("/files/screenshots/00/canary.png?sig=canary-signature&expires=1")
    client.post("/ai/screenshots", headers=bearer, content=b"\x81\xa6secret\xaecanary-msgpack")
    return [
        *("canary-secret", "canary-raw-form", "canary-json-secret", "canary-secret-in-query", basic),
        *("canary-grant-password", "canary-password", "canary-form-password", "canary-wrong-type"),
        *("canary-broken-json", "canary-in-query", "canary-token", "canary-tail"),
        *("canary-token-in-query", "canary-signature", "canary-msgpack"),
    ]
