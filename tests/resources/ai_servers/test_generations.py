"""/api/rest/latest/ai-servers/{id}/generations: started, done in the background, and seen by the group."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from opendai import tables
from opendai.database import Database
from tests.arranging.models import create_model
from tests.conftest import Person, Program
from tests.inprocess import TestClient
from tests.outbound.scripted import scripted
from tests.resources.ai_servers.asking import SERVERS, create, link, wrong
from tests.resources.ai_servers.drafting import (
    CASE,
    OTHER_CASE,
    REQUIREMENT,
    begin,
    drafts,
    wait_for,
)

pytestmark = pytest.mark.usefixtures("loopback")

STAMP = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")

UNKNOWN = {"message": "There is no generation 1 of the AI server 1."}


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
