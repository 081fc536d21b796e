"""Licenses, mail, and how the server is."""

import json
from typing import Any

from tests.contract.registry import error, success
from tests.contract.world import UNKNOWN_ID, Caller, World, made

LICENSE = {
    "serialnumber": 4711,
    "license": json.dumps({"users": 50, "executions": 10}),
    "eula_accepted": True,
}
MAIL = {
    "id": 1,
    "serverhost": "mail.example.com",
    "username": "opendai",
    "password": "a secret",
    "port": 587,
    "recipient": "testers@example.com",
}


def _license(world: World) -> Any:
    return world.once("POST", "/ai/licenses", LICENSE, by="admin")


@success("POST /ai/licenses", by="admin")
def create_license(world: World, caller: Caller) -> Any:
    return caller.post("/ai/licenses", json=LICENSE)


@error("POST /ai/licenses", 400, by="admin")
def create_license_twice(world: World, caller: Caller) -> Any:
    _license(world)
    return caller.post("/ai/licenses", json=LICENSE)


@success("GET /ai/licenses", by="admin")
def list_licenses(world: World, caller: Caller) -> Any:
    _license(world)
    return caller.get("/ai/licenses")


@success("PATCH /ai/licenses", by="admin")
def check_licenses(world: World, caller: Caller) -> Any:
    _license(world)
    return caller.patch("/ai/licenses")


@success("GET /ai/licenses/{ser_num}", by="admin")
def get_license(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/licenses/{_license(world)['serialnumber']}")


@error("GET /ai/licenses/{ser_num}", 404, by="admin")
def get_license_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/licenses/{UNKNOWN_ID}")


@success("DELETE /ai/licenses/{ser_num}", by="admin")
def delete_license(world: World, caller: Caller) -> Any:
    return caller.delete(f"/ai/licenses/{_license(world)['serialnumber']}")


@error("DELETE /ai/licenses/{ser_num}", 404, by="admin")
def delete_license_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.delete(f"/ai/licenses/{UNKNOWN_ID}")


@success("GET /ai/audit", by="admin")
def list_audit_events(world: World, caller: Caller) -> Any:
    named = {"X-Request-ID": "nightly-4711"}
    if "testers" not in world.admin.get("/ai/groups").text:
        made(world.admin.post("/ai/groups", json={"groupname": "testers"}, headers=named))
    return caller.get("/ai/audit", params={"action": "group.create"})


@error("GET /ai/audit", 400, by="admin")
def list_audit_events_since_a_number(world: World, caller: Caller) -> Any:
    return caller.get("/ai/audit", params={"since": "1700000000"})


@success("GET /ai/status", by="stranger")
def get_status(world: World, caller: Caller) -> Any:
    return caller.get("/ai/status")


@success("GET /ai/usage")
def get_usage(world: World, caller: Caller) -> Any:
    return caller.get("/ai/usage")


@success("GET /ai/ping", by="stranger")
def ping(world: World, caller: Caller) -> Any:
    return caller.get("/ai/ping")


@success("PUT /ai/smtp", by="admin")
def update_smtp(world: World, caller: Caller) -> Any:
    return caller.put("/ai/smtp", json=MAIL)


@error("PUT /ai/smtp", 400, by="admin")
def update_smtp_to_a_port_that_cannot_be(world: World, caller: Caller) -> Any:
    return caller.put("/ai/smtp", json={**MAIL, "port": 65_536})


@success("GET /ai/smtp", by="admin")
def get_smtp(world: World, caller: Caller) -> Any:
    if not world.admin.get("/ai/smtp").json()["serverhost"]:
        made(world.admin.put("/ai/smtp", json=MAIL))
    return caller.get("/ai/smtp")
