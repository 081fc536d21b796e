"""The database or the store is away for a while: 503 meanwhile, and then everything works without a restart."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.faults.processes import Server, wait_until
from tests.services import PostgresServer

pytestmark = pytest.mark.slow


class _RestartablePostgres(PostgresServer):
    """Starts again on the data that it has, with the command it was first started with."""

    def _run(self, command: list[str], is_ready: Callable[[], bool], **options: Any) -> None:
        self.start_again = lambda: super(_RestartablePostgres, self)._run(command, is_ready, **options)
        self.start_again()


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> Iterator[_RestartablePostgres]:
    # The shared one decides whether services may be left out; stopping it would disturb the other tests.
    request.getfixturevalue("postgres_server")
    with _RestartablePostgres() as own:
        yield own


def test_the_server_outlives_an_outage_of_its_database(
    start_server: Callable[..., Server], postgres: _RestartablePostgres
):
    server = start_server(database_url=postgres.create_database("outage"))
    with server.client("ci") as ci, httpx.Client(base_url=server.url, timeout=30) as http:
        token = ci.connection.send("GET", "/ai/auth").json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        credentials = server.credentials("late", "admin")
        answers = _Answers(http)
        answers.start()
        wait_until(lambda: answers.statuses[200] > 10, "requests are answered")
        postgres.stop()
        wait_until(lambda: answers.statuses[503] > 10, "the outage is noticed")

        assert http.get("/healthz").status_code == 200
        assert http.get("/ai/ping").status_code == 200
        ready = _not_ready(server)
        assert (ready.status_code, ready.headers["Retry-After"]) == (503, "1")
        assert ready.json() == {"status": "unavailable", "reason": "The database does not answer."}
        for refused in _each_family(http, credentials.client_id, credentials.client_secret):
            assert refused.status_code == 503, refused.url
            assert refused.headers["Retry-After"] == "1"
            _check_no_innards(refused, postgres)

        postgres.start_again()
        wait_until(server.is_ready, "the server is ready again")
        server.database.engine.dispose()
        before = answers.statuses[200]
        wait_until(lambda: answers.statuses[200] > before + 10, "requests are answered again")
        answers.stop()
        assert set(answers.statuses) == {200, 503}
        for refused in answers.refused:
            assert refused.headers["Retry-After"] == "1"
            _check_no_innards(refused, postgres)
        answered = _each_family(http, credentials.client_id, credentials.client_secret)
        assert [answer.status_code for answer in answered] == [200, 200, 404, 200]
        created = http.post("/ai/agents", json={"name": "after the outage"})
        assert created.status_code == 200


def test_a_store_that_is_away_is_not_ready(server: Server):
    objects = server.folder / "objects"
    away = objects.rename(server.folder / "away")
    try:
        ready = _not_ready(server)
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        # A folder that is made anew would hide that the disk is not mounted.
        assert not objects.exists()
    finally:
        away.rename(objects)
    assert (ready.status_code, ready.headers["Retry-After"]) == (503, "1")
    reason = "The object store cannot be used at the moment."
    assert ready.json() == {"status": "unavailable", "reason": reason}
    wait_until(server.is_ready, "the server is ready again")


def _not_ready(server: Server) -> httpx.Response:
    """The first answer of /readyz that is not 200; it may repeat for a second what it found before."""

    def look() -> httpx.Response | None:
        answer = httpx.get(f"{server.url}/readyz", timeout=10)
        return None if answer.status_code == 200 else answer

    found: httpx.Response = wait_until(look, "the outage is noticed by /readyz")
    return found


class _Answers:
    """Somebody who reads and writes all the while, over one connection."""

    def __init__(self, http: httpx.Client) -> None:
        self.statuses: Counter[int] = Counter()
        self.refused: list[httpx.Response] = []
        self._http = http
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            number += 1
            answer = self._http.post("/ai/agents", json={"name": f"agent {number}"})
            self._note(answer)
            self._note(self._http.get("/ai/agents"))

    def _note(self, answer: httpx.Response) -> None:
        self.statuses[answer.status_code] += 1
        if answer.status_code != 200:
            self.refused.append(answer)


def _each_family(http: httpx.Client, client_id: str, secret: str) -> list[httpx.Response]:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    no_execution = "00000000-0000-0000-0000-000000000000"
    return [
        http.get("/ai/runs"),
        http.post("/auth/realms/eggplant/protocol/openid-connect/token", data=form),
        http.get(f"/execution_service/api/v1/executions/{no_execution}"),
        http.post("/agent_service/api/v1/agents", json={}),
    ]


def _check_no_innards(refused: httpx.Response, postgres: _RestartablePostgres) -> None:
    text = json.dumps(refused.json()).lower()
    for innards in ("psycopg", "sqlalchemy", "select", "traceback", "postgres", str(postgres.folder).lower()):
        assert innards not in text
