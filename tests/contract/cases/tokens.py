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


@error("POST /ai/auth", 429, by="stranger")
def log_in_when_too_many_do(world: World, caller: Caller) -> Any:
    world.crowd_the_logins()
    return caller.post("/ai/auth", data={"username": "alice", "password": PASSWORD})


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


def _offered(world: World) -> None:
    """By a setting; it is off unless somebody switches it on."""
    world.replace("settings", world.app.state.parts.settings.model_copy(update={"internal_auth": True}))


@success("POST /ai/internal/auth", by="admin")
def check_a_login(world: World, caller: Caller) -> Any:
    _offered(world)
    return caller.post("/ai/internal/auth", data={"username": "alice", "password": PASSWORD})


@error("POST /ai/internal/auth", 400, by="admin")
def check_a_login_without_a_password(world: World, caller: Caller) -> Any:
    _offered(world)
    return caller.post("/ai/internal/auth", data={"username": "alice"})


@error("POST /ai/internal/auth", 404, by="admin")
def check_a_login_with_a_wrong_password(world: World, caller: Caller) -> Any:
    _offered(world)
    return caller.post("/ai/internal/auth", data={"username": "alice", "password": "guess"})


@error("POST /ai/internal/auth", 429, by="admin")
def check_a_login_when_too_many_log_in(world: World, caller: Caller) -> Any:
    _offered(world)
    world.crowd_the_logins()
    return caller.post("/ai/internal/auth", data={"username": "alice", "password": PASSWORD})
