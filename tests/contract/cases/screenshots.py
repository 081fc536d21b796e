"""Screenshots."""

from typing import Any

from tests.arranging.walking import send_screenshot
from tests.contract.registry import error, success
from tests.contract.world import UNKNOWN_ID, Caller, World

_MSGPACK = {"Content-Type": "application/msgpack"}


@success("POST /ai/screenshots")
def create_screenshot(world: World, caller: Caller) -> Any:
    return send_screenshot(world.client, caller.bearer, run_id=world.run_id)


@error("POST /ai/screenshots", 400)
def create_screenshot_of_what_is_no_map(world: World, caller: Caller) -> Any:
    return caller.post("/ai/screenshots", headers=_MSGPACK, content=b"\x93\x01\x02\x03")


@error("POST /ai/screenshots", 404)
def create_screenshot_of_a_run_that_is_not_there(world: World, caller: Caller) -> Any:
    return send_screenshot(world.client, caller.bearer, run_id=UNKNOWN_ID)


@error("POST /ai/screenshots", 409, by="lab")
def create_screenshot_of_an_attempt_that_has_ended(world: World, caller: Caller) -> Any:
    return send_screenshot(world.client, caller.bearer, run_id=world.run_id, attempt=1)


@success("GET /ai/runs/{id}/screenshots")
def list_screenshots(world: World, caller: Caller) -> Any:
    assert world.screenshot_id
    return caller.get(f"/ai/runs/{world.run_id}/screenshots")


@success("GET /ai/screenshots/{artifact_id}")
def get_screenshot(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/screenshots/{world.screenshot_id}")


@success("GET /ai/screenshots/{artifact_id}/download")
def download_screenshot(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/screenshots/{world.screenshot_id}/download")
