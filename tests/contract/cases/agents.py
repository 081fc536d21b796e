"""Agents, and the agent of a model."""

from typing import Any

from tests.contract.registry import error, success
from tests.contract.world import UNKNOWN_ID, Caller, World

PUBLISHED = {
    "name": "lab-2",
    "recordpath": "/records",
    "suite": "Shop.suite",
    "agenttype": "RUN",
    "epphost": "10.0.0.9",
    "epptestcontrollerport": 5000,
    "eppanalyzerport": 5001,
    "eppworkspacepath": "/workspace",
    "isconnected": True,
    "ishosted": False,
}


@success("POST /ai/agents", by="admin")
def create_agent(world: World, caller: Caller) -> Any:
    return caller.post("/ai/agents", data=PUBLISHED)


@error("POST /ai/agents", 400, by="admin")
def create_agent_with_a_name_that_is_taken(world: World, caller: Caller) -> Any:
    return caller.post("/ai/agents", data={**PUBLISHED, "name": world.agent["name"]})


@success("GET /ai/agents")
def list_agents(world: World, caller: Caller) -> Any:
    assert world.agent
    return caller.get("/ai/agents", params={"include_hosted": "true"})


@error("GET /ai/agents", 400)
def list_agents_with_a_flag_that_cannot_be(world: World, caller: Caller) -> Any:
    return caller.get("/ai/agents", params={"include_hosted": "perhaps"})


@success("GET /ai/agents/{id}")
def get_agent(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/agents/{world.agent['id']}")


@success("PUT /ai/agents/{id}", by="admin")
def update_agent(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/agents/{world.agent['id']}", json={**PUBLISHED, "id": world.agent["id"]})


@error("PUT /ai/agents/{id}", 400, by="admin")
def update_agent_with_an_empty_name(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/agents/{world.agent['id']}", json={"name": ""})


@error("PUT /ai/agents/{id}", 404, by="admin")
def update_agent_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/agents/{UNKNOWN_ID}", json=PUBLISHED)


@success("DELETE /ai/agents/{id}", by="admin")
def delete_agent(world: World, caller: Caller) -> Any:
    return caller.delete(f"/ai/agents/{world.agent['id']}")


@success("PUT /ai/models/{model_id}/agent")
def associate_agent(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/models/{world.model['id']}/agent", json={"agent": world.agent["id"]})


@error("PUT /ai/models/{model_id}/agent", 400)
def associate_agent_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/models/{world.model['id']}/agent", json={"agent": UNKNOWN_ID})


@error("PUT /ai/models/{model_id}/agent", 404)
def associate_agent_with_a_model_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/models/{UNKNOWN_ID}/agent", json={"agent": world.agent["id"]})


@success("GET /ai/models/{model_id}/agent")
def get_agent_of_model(world: World, caller: Caller) -> Any:
    associate_agent(world, world.alice)
    return caller.get(f"/ai/models/{world.model['id']}/agent")
