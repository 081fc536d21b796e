"""Addresses that no AI server may have: refused when they are saved, and when they are called all the same."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from opendai import tables
from opendai.database import Database
from tests.conftest import Person
from tests.inprocess import TestClient
from tests.outbound.scripted import OK, Scripted, says, scripted
from tests.outbound.spellings import FORBIDDEN_HOSTS, FORBIDDEN_URLS
from tests.resources.ai_servers.asking import GIVEN, SERVERS, create, wrong
from tests.resources.ai_servers.drafting import begin, look, wait_for

pytestmark = pytest.mark.slow

# Characters that are trimmed from a URL before it is judged.
_TRIMMED = {"\thttp://example.com/", " http://example.com/"}
REFUSED_URLS = [url for url in FORBIDDEN_URLS if url not in _TRIMMED]


@pytest.fixture
def canary() -> Iterator[Scripted]:
    """A server on this machine that must not hear anything."""
    with scripted(says(OK)) as listening:
        yield listening
        assert listening.requests == []


def place(database: Database, url: str) -> None:
    """Write an address behind the back of the API; the column takes 255 characters."""
    with database.writing() as session:
        session.execute(update(tables.AiServer).values(url=url[:255]))


def test_there_are_enough_spellings() -> None:
    assert len(FORBIDDEN_HOSTS) >= 45


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_no_spelling_can_be_saved(client: TestClient, admin: Person, canary: Scripted, method: str) -> None:
    create(client, admin, name="Other")
    path = SERVERS if method == "POST" else f"{SERVERS}/1"
    for host in FORBIDDEN_HOSTS:
        given = {**GIVEN, "url": f"http://{host}:{canary.port}/"}
        response = client.request(method, path, headers=admin.bearer, json=given)
        assert response.status_code == 412, (host, response.text)
        wrong("url", response.json())
    for url in REFUSED_URLS:
        response = client.request(method, path, headers=admin.bearer, json={**GIVEN, "url": url})
        assert response.status_code == 412, (url, response.text)
    found = client.get(SERVERS, headers=admin.bearer).json()["_embedded"]["ai-servers"]
    assert [server["url"] for server in found] == [GIVEN["url"]]


def test_no_spelling_can_be_called(
    client: TestClient, admin: Person, canary: Scripted, database: Database
) -> None:
    create(client, admin)
    urls = [f"http://{host}:{canary.port}/" for host in FORBIDDEN_HOSTS if "\0" not in host]
    for url in [*urls, *REFUSED_URLS]:
        place(database, url)
        response = client.post(f"{SERVERS}/1/test", headers=admin.bearer, json={"requirement": "x"})
        assert response.status_code == 200, (url, response.text)
        failure = response.json()["failure"]
        # A name that only some networks know of is not found in others.
        is_unknown = failure["stage"] == "connection" and "There is no host" in failure["message"]
        assert failure["stage"] == "address" or is_unknown, (url, failure)


def test_a_generation_does_not_call_it_either(
    client: TestClient, admin: Person, canary: Scripted, database: Database
) -> None:
    create(client, admin)
    for number, host in enumerate(("127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "localhost"), 1):
        place(database, f"http://{host}:{canary.port}/")
        begin(client, admin)
        failed: Any = wait_for(client, admin, number, status="FAILED")
        assert failed["failure"]["stage"] == "address"
    assert look(client, admin)["proposals"] == []
