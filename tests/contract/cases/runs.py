"""Runs, their timings and their logs, and the errors of executions."""

from typing import Any

from tests.contract.registry import error, success
from tests.contract.world import UNKNOWN_ID, Caller, World

LINE = {"message": "The till is open.", "severity": "INFORMATIONAL", "eventtime": "2026-11-22T09:30:02+00:00"}


@success("GET /ai/runs")
def list_runs(world: World, caller: Caller) -> Any:
    query = {
        "id": world.run_id,
        "testcase": "Pay",
        "teststatus": "PASSED",
        "modelname": "Shop",
        "task_instance_id": world.execution_id,
        "sort": "-id",
        "offset": "0",
        "limit": "20",
        "modeluuid": world.model["modeluuid"],
    }
    return caller.get("/ai/runs", params=query)


@error("GET /ai/runs", 400)
def list_runs_from_what_is_no_number(world: World, caller: Caller) -> Any:
    return caller.get("/ai/runs", params={"offset": "last"})


@success("GET /ai/runs/{id}")
def get_run(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/runs/{world.run_id}")


@success("DELETE /ai/runs/{id}")
def delete_run(world: World, caller: Caller) -> Any:
    return caller.delete(f"/ai/runs/{world.run_id}")


@success("GET /ai/runs/{id}/timings")
def list_timings(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/runs/{world.run_id}/timings")


@success("POST /ai/runlogs/{id}")
def create_log_line(world: World, caller: Caller) -> Any:
    return caller.post(f"/ai/runlogs/{world.run_id}", json=LINE)


@error("POST /ai/runlogs/{id}", 400)
def create_log_line_without_a_message(world: World, caller: Caller) -> Any:
    return caller.post(f"/ai/runlogs/{world.run_id}", json={"severity": "INFO"})


@error("POST /ai/runlogs/{id}", 404)
def create_log_line_of_a_run_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.post(f"/ai/runlogs/{UNKNOWN_ID}", json={"message": "Hello"})


@success("GET /ai/runlogs/{id}")
def get_log(world: World, caller: Caller) -> Any:
    world.once("POST", f"/ai/runlogs/{world.run_id}", LINE)
    return caller.get(f"/ai/runlogs/{world.run_id}")


@success("GET /ai/errors")
def list_errors(world: World, caller: Caller) -> Any:
    assert world.broken_run_id
    return caller.get("/ai/errors", params={"id": "1", "offset": "0", "limit": "20"})


@error("GET /ai/errors", 400)
def list_errors_without_end(world: World, caller: Caller) -> Any:
    return caller.get("/ai/errors", params={"limit": "-1"})
