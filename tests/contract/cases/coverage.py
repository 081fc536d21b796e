"""Coverage models, and the coverage of a model."""

from typing import Any

from tests.contract.registry import error, success
from tests.contract.world import UNKNOWN_ID, Caller, World

PUBLISHED = {"name": "Our triples", "variable_depth": 1, "path_depth": 3, "active": True}


def _made(world: World) -> Any:
    return world.once("POST", "/ai/coverage/models", {**PUBLISHED, "name": "Our pairs"}, by="admin")


@success("POST /ai/coverage/models", by="admin")
def create_coverage_model(world: World, caller: Caller) -> Any:
    return caller.post("/ai/coverage/models", json=PUBLISHED)


@error("POST /ai/coverage/models", 400, by="admin")
def create_coverage_model_that_is_too_deep(world: World, caller: Caller) -> Any:
    return caller.post("/ai/coverage/models", json={**PUBLISHED, "path_depth": 9})


@error("POST /ai/coverage/models", 409, by="admin")
def create_coverage_model_twice(world: World, caller: Caller) -> Any:
    return caller.post("/ai/coverage/models", json={**PUBLISHED, "name": _made(world)["name"]})


@success("GET /ai/coverage/models")
def list_coverage_models(world: World, caller: Caller) -> Any:
    _made(world)
    return caller.get("/ai/coverage/models")


@success("GET /ai/coverage/model/{id}")
def get_coverage_model(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/coverage/model/{_made(world)['id']}")


@success("PUT /ai/coverage/model/{id}", by="admin")
def update_coverage_model(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/coverage/model/{_made(world)['id']}", json=PUBLISHED)


@error("PUT /ai/coverage/model/{id}", 400, by="admin")
def update_coverage_model_with_a_depth_that_cannot_be(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/coverage/model/{_made(world)['id']}", json={**PUBLISHED, "variable_depth": 0})


@error("PUT /ai/coverage/model/{id}", 404, by="admin")
def update_coverage_model_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/coverage/model/{UNKNOWN_ID}", json=PUBLISHED)


@success("DELETE /ai/coverage/model/{id}", by="admin")
def delete_coverage_model(world: World, caller: Caller) -> Any:
    return caller.delete(f"/ai/coverage/model/{_made(world)['id']}")


@success("GET /ai/models/{model_id}/coverage")
def get_coverage_of_model(world: World, caller: Caller) -> Any:
    assert world.run_id
    return caller.get(f"/ai/models/{world.model['id']}/coverage")


@error("PUT /ai/coverage/model/{id}", 409, by="admin")
def update_coverage_model_to_a_name_that_is_taken(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/coverage/model/{_made(world)['id']}", json={**PUBLISHED, "name": "All Nodes"})
