"""/ai/models/{model_id}/agent."""

from typing import Any

import pytest
from sqlalchemy import select

from opendai import tables
from opendai.database import Database
from tests.arranging.models import create_model
from tests.conftest import Person, Program
from tests.inprocess import TestClient


@pytest.fixture
def agent(client: TestClient, admin: Person) -> Any:
    return client.post("/ai/agents", headers=admin.bearer, json={"name": "lab-1"}).json()


@pytest.fixture
def model(client: TestClient, alice: Person, samples: dict[str, str]) -> Any:
    return create_model(client, alice, samples["petclinic"])


def test_an_agent_is_associated_and_returned(
    client: TestClient, alice: Person, agent: Any, model: Any, database: Database
) -> None:
    body = {"agent": agent["id"], "surprise": 1}
    response = client.put("/ai/models/1/agent", headers=alice.bearer, json=body)
    assert (response.status_code, response.json()) == (200, agent)
    response = client.get("/ai/models/1/agent", headers=alice.bearer)
    assert (response.status_code, response.json()) == (200, agent)
    seen = client.get("/ai/models/1", headers=alice.bearer).json()
    assert seen["agent"] == agent["id"]
    assert seen["updated"] > model["updated"]
    with database.reading() as session:
        assert session.scalars(select(tables.Model.agent_id)).all() == [agent["id"]]


def test_a_model_without_an_agent_is_404(
    client: TestClient, alice: Person, admin: Person, agent: Any, model: Any
) -> None:
    missing = {"message": "Model 1 has no agent."}
    response = client.get("/ai/models/1/agent", headers=alice.bearer)
    assert (response.status_code, response.json()) == (404, missing)
    client.put("/ai/models/1/agent", headers=alice.bearer, json={"agent": agent["id"]})
    client.delete("/ai/agents/1", headers=admin.bearer)
    response = client.get("/ai/models/1/agent", headers=alice.bearer)
    assert (response.status_code, response.json()) == (404, missing)


def test_an_agent_that_is_not_there_is_refused(client: TestClient, alice: Person, model: Any) -> None:
    response = client.put("/ai/models/1/agent", headers=alice.bearer, json={"agent": 9})
    assert response.status_code == 400
    assert response.json() == {
        "message": "There is no agent 9.",
        "errors": [{"field": "agent", "problem": "is not the id of an agent"}],
    }


@pytest.mark.parametrize("body", [{}, {"agent": None}, {"agent": "x"}, {"agent": 0}, {"agent": 2**63}])
def test_a_value_that_is_no_agents_id_is_refused(
    client: TestClient, alice: Person, model: Any, body: dict[str, object]
) -> None:
    response = client.put("/ai/models/1/agent", headers=alice.bearer, json=body)
    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["errors"]] == ["agent"]
    assert client.get("/ai/models/1", headers=alice.bearer).json() == model


def test_the_agent_of_a_foreign_model_is_unknown(
    client: TestClient, alice: Person, bob: Person, nobody: Person, lab: Program, agent: Any, model: Any
) -> None:
    client.put("/ai/models/1/agent", headers=alice.bearer, json={"agent": agent["id"]})
    for method in ("GET", "PUT"):
        for path in ("/ai/models/1/agent", "/ai/models/7/agent"):
            response = client.request(method, path, headers=bob.bearer, json={"agent": agent["id"]})
            number = path.split("/")[3]
            assert (response.status_code, response.json()) == (
                404,
                {"message": f"There is no model {number}."},
            )
        for person in (nobody, lab):
            response = client.request(method, "/ai/models/1/agent", headers=person.bearer, json={"agent": 1})
            assert response.status_code == 403
