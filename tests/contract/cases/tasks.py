"""Test config tasks: executions of a test configuration, and those that ran elsewhere."""

from typing import Any

from tests.contract.registry import error, success
from tests.contract.world import UNKNOWN_UUID, Caller, World

PUBLISHED = {
    "task_instance_id": "7d9f6c52-0f7e-4a53-9f0b-3c1f6f1c2a10",
    "test_config_id": "1c5b8f6e-2f4d-4b55-8a0e-9d0c4f7f2b21",
    "runstatus": "INCOMPLETE",
}
_QUERY = {"offset": 0, "limit": 10, "sort": "-created_datetime", "limit_per_test_config": 5}


@success("POST /ai/testconfigtasks")
def create_task(world: World, caller: Caller) -> Any:
    return caller.post("/ai/testconfigtasks", json=PUBLISHED)


@error("POST /ai/testconfigtasks", 400)
def create_task_with_an_id_that_cannot_be(world: World, caller: Caller) -> Any:
    return caller.post("/ai/testconfigtasks", json={**PUBLISHED, "task_instance_id": "the first"})


@success("GET /ai/testconfigtasks")
def list_tasks(world: World, caller: Caller) -> Any:
    world.once("POST", "/ai/testconfigtasks", PUBLISHED)
    query = {**_QUERY, "test_config_id": PUBLISHED["test_config_id"]}
    return caller.get("/ai/testconfigtasks", params=query)


@error("GET /ai/testconfigtasks", 400)
def list_tasks_by_a_column_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.get("/ai/testconfigtasks", params={"sort": "password"})


@success("GET /ai/testconfigtasks_extended")
def list_tasks_with_more(world: World, caller: Caller) -> Any:
    assert world.run_id
    return caller.get("/ai/testconfigtasks_extended", params=_QUERY)


@error("GET /ai/testconfigtasks_extended", 400)
def list_tasks_with_more_without_end(world: World, caller: Caller) -> Any:
    return caller.get("/ai/testconfigtasks_extended", params={"limit": "-1"})


@success("GET /ai/testconfigtasks/{id}")
def get_task(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/testconfigtasks/{world.execution_id}")


@success("PUT /ai/testconfigtasks/{id}")
def update_task(world: World, caller: Caller) -> Any:
    world.once("POST", "/ai/testconfigtasks", PUBLISHED)
    identity = PUBLISHED["task_instance_id"]
    return caller.put(f"/ai/testconfigtasks/{identity}", json={**PUBLISHED, "runstatus": "PASSED"})


@error("PUT /ai/testconfigtasks/{id}", 400)
def update_task_to_a_status_that_cannot_be(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/testconfigtasks/{world.execution_id}", json={**PUBLISHED, "runstatus": "DONE"})


@error("PUT /ai/testconfigtasks/{id}", 404)
def update_task_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/testconfigtasks/{UNKNOWN_UUID}", json=PUBLISHED)


@success("GET /ai/testconfigtasks/{id}/details")
def get_details_of_task(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/testconfigtasks/{world.execution_id}/details")


@success("GET /ai/testconfigtasks/{id}/summary")
def summarise_task(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/testconfigtasks/{world.execution_id}/summary")


@success("GET /ai/executions/{execution_id}")
def get_execution(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/executions/{world.execution_id}")
