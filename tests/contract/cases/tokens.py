"""Logging in and out."""

from typing import Any

from tests.conftest import PASSWORD
from tests.contract.registry import error, success
from tests.contract.world import Caller, World

_STALE = {"Authorization": "Bearer x.y.z"}


@success("POST /ai/auth", by="stranger")
def log_in(world: World, caller: Caller) -> Any:
    return caller.post("/ai/auth", data={"username": "alice", "password": PASSWORD})


@error("POST /ai/auth", 400, by="stranger")
def log_in_without_a_password(world: World, caller: Caller) -> Any:
    return caller.post("/ai/auth", data={"username": "alice"})


@error("POST /ai/auth", 404, by="stranger")
def log_in_with_a_wrong_password(world: World, caller: Caller) -> Any:
    return caller.post("/ai/auth", data={"username": "alice", "password": "guess"})


@success("GET /ai/auth")
def get_token_info(world: World, caller: Caller) -> Any:
    return caller.get("/ai/auth")


@error("GET /ai/auth", 404, by="stranger")
def get_token_info_of_what_is_no_token(world: World, caller: Caller) -> Any:
    return caller.get("/ai/auth", headers=_STALE)


@success("DELETE /ai/auth")
def log_out(world: World, caller: Caller) -> Any:
    return caller.delete("/ai/auth")


@error("DELETE /ai/auth", 404)
def log_out_twice(world: World, caller: Caller) -> Any:
    caller.delete("/ai/auth")
    return caller.delete("/ai/auth")
