"""Refusals that every operation words alike, each provoked by a request made from the operation itself."""

from collections.abc import Callable
from typing import Any

from tests.contract.world import UNKNOWN_ID, UNKNOWN_UUID, World

# Beyond every limit, those of pictures and models too.
_TOO_LARGE = b" " * ((20 << 20) + 1)


def without_a_token(world: World, method: str, path: str) -> Any:
    return world.caller("stranger").ask(method, _filled(path))


def without_rights(world: World, method: str, path: str) -> Any:
    return world.caller("nobody").ask(method, _filled(path), json={})


def of_what_is_not_there(world: World, method: str, path: str) -> Any:
    return world.admin.ask(method, _filled(path))


def with_an_id_that_cannot_be(world: World, method: str, path: str) -> Any:
    parts = ["1.5" if part.startswith("{") else part for part in path.split("/")]
    return world.admin.ask(method, "/".join(parts), json={})


def with_a_body_that_is_too_large(world: World, method: str, path: str) -> Any:
    headers = {"Content-Type": "application/json"}
    return world.admin.ask(method, _filled(path), headers=headers, content=_TOO_LARGE)


def provocation(
    method: str, path: str, status: int, *, has_body: bool
) -> Callable[[World, str, str], Any] | None:
    """The request that provokes this status from any operation of the kind; None where it takes a case."""
    if status == 401:
        return without_a_token
    if status == 403:
        return without_rights
    if status == 404 and "{" in path and not has_body:
        return of_what_is_not_there
    if status == 400 and "{" in path and "{asset_id}" not in path:
        return with_an_id_that_cannot_be
    if status == 413 and has_body:
        return with_a_body_that_is_too_large
    return None


def _filled(path: str) -> str:
    has_text_id = "{artifact_id}" in path or "/testconfigtasks/" in path or "/executions/" in path
    value = UNKNOWN_UUID if has_text_id else str(UNKNOWN_ID)
    return "/".join(value if part.startswith("{") else part for part in path.split("/"))
