"""/ai/agents."""

from typing import Any

import pytest
from sqlalchemy import select

from opendai import tables
from opendai.database import Database
from tests.conftest import Person, Program
from tests.inprocess import TestClient

PUBLISHED = {
    "name": "lab-1",
    "recordpath": "/records",
    "suite": "Shop.suite",
    "agenttype": "RUN",
    "epphost": "10.0.0.9",
    "epptestcontrollerport": 5000,
    "eppanalyzerport": 5001,
    "eppworkspacepath": "/workspace",
    "isconnected": True,
    "ishosted": True,
}


@pytest.mark.parametrize("medium", ["data", "json"])
def test_creating_an_agent_works_as_a_form_and_as_json(
    client: TestClient, admin: Person, medium: str
) -> None:
    given: dict[str, Any] = {medium: PUBLISHED}
    response = client.post("/ai/agents", headers=admin.bearer, **given)
    assert response.status_code == 200
    assert response.json() == {"id": 1, **PUBLISHED}
    assert client.get("/ai/agents/1", headers=admin.bearer).json() == {"id": 1, **PUBLISHED}


def test_only_the_name_is_needed_and_extra_fields_are_ignored(client: TestClient, admin: Person) -> None:
    body = {"name": "bare", "id": 99, "epptestcontrollerport": 0, "surprise": [1]}
    agent = client.post("/ai/agents", headers=admin.bearer, json=body).json()
    assert agent["id"] == 1
    assert agent["agenttype"] == "DESIGN"
    assert agent["epptestcontrollerport"] == 0
    assert agent["eppanalyzerport"] == 123
    assert agent["isconnected"] is False


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": None},
        {"name": "x" * 256},
        {"name": "a\nb"},
        {"name": "x", "eppanalyzerport": 65536},
    ],
)
def test_a_body_with_a_bad_field_is_refused_and_nothing_is_stored(
    client: TestClient, admin: Person, database: Database, body: dict[str, object]
) -> None:
    response = client.post("/ai/agents", headers=admin.bearer, json=body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] in {"name", "eppanalyzerport"}
    with database.reading() as session:
        assert session.scalars(select(tables.Agent)).all() == []


def test_a_name_that_is_taken_is_refused(client: TestClient, admin: Person) -> None:
    client.post("/ai/agents", headers=admin.bearer, json={"name": "lab-1"})
    client.post("/ai/agents", headers=admin.bearer, json={"name": "lab-2"})
    for response in (
        client.post("/ai/agents", headers=admin.bearer, json={"name": "lab-1"}),
        client.put("/ai/agents/2", headers=admin.bearer, json={"name": "lab-1"}),
    ):
        assert response.status_code == 400
        assert response.json() == {"message": 'There is an agent "lab-1" already.'}
    assert client.get("/ai/agents/2", headers=admin.bearer).json()["name"] == "lab-2"


def test_listing_agents_can_leave_hosted_ones_out(client: TestClient, admin: Person, alice: Person) -> None:
    client.post("/ai/agents", headers=admin.bearer, json={"name": "ours", "ishosted": False})
    client.post("/ai/agents", headers=admin.bearer, json={"name": "theirs", "ishosted": True})
    everyone = client.get("/ai/agents", headers=alice.bearer).json()
    assert [agent["name"] for agent in everyone] == ["ours", "theirs"]
    ours = client.get("/ai/agents?include_hosted=false", headers=alice.bearer).json()
    assert [agent["name"] for agent in ours] == ["ours"]


def test_updating_an_agent_changes_what_is_given(client: TestClient, admin: Person) -> None:
    client.post("/ai/agents", headers=admin.bearer, json=PUBLISHED)
    response = client.put(
        "/ai/agents/1", headers=admin.bearer, json={"suite": "Other.suite", "epphost": None}
    )
    assert response.status_code == 200
    assert response.json() == {"id": 1, **PUBLISHED, "suite": "Other.suite"}


def test_deleting_an_agent_answers_with_json(client: TestClient, admin: Person) -> None:
    client.post("/ai/agents", headers=admin.bearer, json={"name": "lab-1"})
    response = client.delete("/ai/agents/1", headers=admin.bearer)
    assert (response.status_code, response.json()) == (200, {})
    assert client.get("/ai/agents/1", headers=admin.bearer).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_agent_that_is_not_there_is_404(client: TestClient, admin: Person, method: str) -> None:
    response = client.request(method, "/ai/agents/9", headers=admin.bearer, json={"name": "x"})
    assert response.status_code == 404
    assert response.json() == {"message": "There is no agent 9."}


def test_only_administrators_write(client: TestClient, alice: Person, nobody: Person, lab: Program) -> None:
    for method, path in (("POST", "/ai/agents"), ("PUT", "/ai/agents/1"), ("DELETE", "/ai/agents/1")):
        for person in (alice, nobody, lab):
            response = client.request(method, path, headers=person.bearer, json={"name": "x"})
            assert response.status_code == 403, (method, person.name)
            assert response.json() == {"message": "This needs an administrator's rights."}
    for person in (nobody, lab):
        assert client.get("/ai/agents", headers=person.bearer).status_code == 403
