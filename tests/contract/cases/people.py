"""Users and groups."""

import json
from typing import Any

from tests.contract.registry import error, success
from tests.contract.world import UNKNOWN_ID, Caller, World, made

PUBLISHED = {
    "username": "dora",
    "role": "User",
    "groups": ["shop"],
    "password": "a long enough password",
    "license": None,
    "hide_welcome_popup": "false",
}


def use_up_the_licenses(world: World) -> None:
    """There are more users already than the only license allows."""
    body = {"serialnumber": 4711, "license": json.dumps({"users": 1}), "eula_accepted": True}
    made(world.admin.post("/ai/licenses", json=body))


def _dora(world: World, **fields: Any) -> Any:
    return world.once("POST", "/ai/users", {**PUBLISHED, **fields}, by="admin")


def _group(world: World) -> Any:
    return world.once("POST", "/ai/groups", {"groupname": "testers"}, by="admin")


def _of_alice(world: World) -> str:
    return f"/ai/users/{world.people['alice'].id}"


@success("POST /ai/users", by="admin")
def create_user(world: World, caller: Caller) -> Any:
    assert world.alice
    return caller.post("/ai/users", json=PUBLISHED)


@error("POST /ai/users", 400, by="admin")
def create_user_without_a_name(world: World, caller: Caller) -> Any:
    return caller.post("/ai/users", json={**PUBLISHED, "username": ""})


@error("POST /ai/users", 402, by="admin")
def create_user_beyond_the_licenses(world: World, caller: Caller) -> Any:
    use_up_the_licenses(world)
    return caller.post("/ai/users", json=PUBLISHED)


@error("POST /ai/users", 409, by="admin")
def create_user_twice(world: World, caller: Caller) -> Any:
    return caller.post("/ai/users", json={**PUBLISHED, "username": "alice"})


@error("POST /ai/users", 429, by="admin")
def create_user_when_too_many_log_in(world: World, caller: Caller) -> Any:
    world.crowd_the_logins()
    return caller.post("/ai/users", json=PUBLISHED)


@success("GET /ai/users", by="admin")
def list_users(world: World, caller: Caller) -> Any:
    return caller.get("/ai/users")


@success("GET /ai/users/{user_id}")
def get_user(world: World, caller: Caller) -> Any:
    return caller.get(_of_alice(world))


@error("GET /ai/users/{user_id}", 404, by="admin")
def get_user_who_is_not_there(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/users/{UNKNOWN_ID}")


@success("PUT /ai/users/{user_id}", by="admin")
def update_user(world: World, caller: Caller) -> Any:
    body = {"username": "dora", "role": "Admin", "hide_welcome_popup": "true"}
    return caller.put(f"/ai/users/{_dora(world)['id']}", json=body)


@error("PUT /ai/users/{user_id}", 400, by="admin")
def update_user_to_a_role_that_cannot_be(world: World, caller: Caller) -> Any:
    return caller.put(_of_alice(world), json={"username": "alice", "role": "Owner"})


@error("PUT /ai/users/{user_id}", 402, by="admin")
def let_a_user_in_beyond_the_licenses(world: World, caller: Caller) -> Any:
    dora = _dora(world, role="None")
    use_up_the_licenses(world)
    return caller.put(f"/ai/users/{dora['id']}", json={"username": "dora", "role": "User"})


@error("PUT /ai/users/{user_id}", 404, by="admin")
def update_user_who_is_not_there(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/users/{UNKNOWN_ID}", json={"username": "dora", "role": "User"})


@error("PUT /ai/users/{user_id}", 409, by="admin")
def update_user_to_a_name_that_is_taken(world: World, caller: Caller) -> Any:
    return caller.put(_of_alice(world), json={"username": "bob"})


@error("PUT /ai/users/{user_id}", 429, by="admin")
def set_a_password_when_too_many_log_in(world: World, caller: Caller) -> Any:
    world.crowd_the_logins()
    return caller.put(_of_alice(world), json={"username": "alice", "password": "a long enough password"})


@error("DELETE /ai/users/{user_id}", 409, by="admin")
def delete_the_last_administrator(world: World, caller: Caller) -> Any:
    return caller.delete(f"/ai/users/{world.people['admin'].id}")


@success("DELETE /ai/users/{user_id}", by="admin")
def delete_user(world: World, caller: Caller) -> Any:
    return caller.ask("DELETE", f"/ai/users/{_dora(world)['id']}", json={"username": "dora"})


@error("DELETE /ai/users/{user_id}", 404, by="admin")
def delete_user_who_is_not_there(world: World, caller: Caller) -> Any:
    return caller.delete(f"/ai/users/{UNKNOWN_ID}")


@success("POST /ai/users/{user_id}/welcome_popup")
def hide_the_welcome_popup(world: World, caller: Caller) -> Any:
    return caller.post(f"{_of_alice(world)}/welcome_popup", json={"hide_welcome_popup": "true"})


@error("POST /ai/users/{user_id}/welcome_popup", 400)
def hide_the_welcome_popup_perhaps(world: World, caller: Caller) -> Any:
    return caller.post(f"{_of_alice(world)}/welcome_popup", json={"hide_welcome_popup": "perhaps"})


@error("POST /ai/users/{user_id}/welcome_popup", 404, by="admin")
def hide_the_welcome_popup_of_a_user_who_is_not_there(world: World, caller: Caller) -> Any:
    return caller.post(f"/ai/users/{UNKNOWN_ID}/welcome_popup", json={"hide_welcome_popup": "true"})


@success("POST /ai/groups", by="admin")
def create_group(world: World, caller: Caller) -> Any:
    return caller.post("/ai/groups", json={"groupname": "testers"})


@error("POST /ai/groups", 400, by="admin")
def create_group_without_a_name(world: World, caller: Caller) -> Any:
    return caller.post("/ai/groups", json={"groupname": ""})


@success("GET /ai/groups")
def list_groups(world: World, caller: Caller) -> Any:
    return caller.get("/ai/groups")


@success("GET /ai/groups/{id}", by="admin")
def get_group(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/groups/{_group(world)['id']}")


@success("PUT /ai/groups/{id}", by="admin")
def update_group(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/groups/{_group(world)['id']}", json={"groupname": "quality"})


@error("PUT /ai/groups/{id}", 400, by="admin")
def update_group_without_a_name(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/groups/{_group(world)['id']}", json={"groupname": ""})


@error("PUT /ai/groups/{id}", 404, by="admin")
def update_group_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.put(f"/ai/groups/{UNKNOWN_ID}", json={"groupname": "quality"})


@success("DELETE /ai/groups/{id}", by="admin")
def delete_group(world: World, caller: Caller) -> Any:
    return caller.delete(f"/ai/groups/{_group(world)['id']}")


@error("DELETE /ai/groups/{id}", 400, by="admin")
def delete_group_that_holds_models(world: World, caller: Caller) -> Any:
    assert world.model
    shop = next(group for group in made(caller.get("/ai/groups")) if group["groupname"] == "shop")
    return caller.delete(f"/ai/groups/{shop['id']}")
