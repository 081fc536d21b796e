"""Models, and what is reported of them."""

import json
from typing import Any

from tests.contract.registry import error, success
from tests.contract.world import DOCUMENT, UNKNOWN_ID, Caller, World


@success("POST /ai/models")
def create_model(world: World, caller: Caller) -> Any:
    return caller.post(
        "/ai/models", json={"name": "Till", "group": "shop", "modeljson": json.dumps(DOCUMENT)}
    )


@error("POST /ai/models", 400)
def create_model_in_a_group_of_others(world: World, caller: Caller) -> Any:
    return caller.post("/ai/models", json={"name": "Till", "group": "bank"})


@error("POST /ai/models", 409)
def create_model_twice(world: World, caller: Caller) -> Any:
    return caller.post("/ai/models", json={"name": world.model["name"], "group": "shop"})


@success("GET /ai/models")
def list_models(world: World, caller: Caller) -> Any:
    assert world.model
    return caller.get("/ai/models")


@success("GET /ai/models/{model_id}")
def get_model(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/models/{world.model['id']}")


@success("PUT /ai/models/{model_id}")
def update_model(world: World, caller: Caller) -> Any:
    return caller.put(
        f"/ai/models/{world.model['id']}", json={"name": "Big shop", "agent": world.agent["id"]}
    )


@error("PUT /ai/models/{model_id}", 400)
def update_model_with_what_is_no_model(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/models/{world.model['id']}", json={"modeljson": "{}"})


@error("PUT /ai/models/{model_id}", 404)
def update_model_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/models/{UNKNOWN_ID}", json={"name": "Mine"})


@error("PUT /ai/models/{model_id}", 409)
def update_model_to_a_name_that_is_taken(world: World, caller: Caller) -> Any:
    create_model(world, world.alice)
    return caller.put(f"/ai/models/{world.model['id']}", json={"name": "Till"})


@success("DELETE /ai/models/{model_id}")
def delete_model(world: World, caller: Caller) -> Any:
    return caller.delete(f"/ai/models/{world.model['id']}")


@success("GET /ai/models/{model_id}/actions")
def list_actions(world: World, caller: Caller) -> Any:
    assert world.run_id
    return caller.get(f"/ai/models/{world.model['id']}/actions")


@success("GET /ai/models/{model_id}/defects")
def list_defects(world: World, caller: Caller) -> Any:
    assert world.failed_run_id
    return caller.get(f"/ai/models/{world.model['id']}/defects")


@success("GET /ai/models/{model_id}/release-insights")
def get_release_insights(world: World, caller: Caller) -> Any:
    assert world.run_id
    return caller.get(f"/ai/models/{world.model['id']}/release-insights")


@error("GET /ai/models/{model_id}/release-insights", 404)
def get_release_insights_before_any_run(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/models/{world.model['id']}/release-insights")


@success("GET /ai/models/{model_id}/runs")
def list_runs_of_model(world: World, caller: Caller) -> Any:
    assert world.run_id
    return caller.get(
        f"/ai/models/{world.model['id']}/runs", params={"starttime": "2020-01-01", "endtime": "2100-01-01"}
    )


@success("GET /ai/models/{model_id}/testcasesummary")
def summarise_test_cases(world: World, caller: Caller) -> Any:
    assert world.run_id
    return caller.get(
        f"/ai/models/{world.model['id']}/testcasesummary",
        params={"starttime": "2020-01-01", "endtime": "2100-01-01"},
    )


@success("GET /ai/models/{model_id}/testcaseruns")
def list_runs_of_test_cases(world: World, caller: Caller) -> Any:
    assert world.run_id
    return caller.get(f"/ai/models/{world.model['id']}/testcaseruns")
