"""The operations beside /ai: how each is asked so that it works."""

from collections.abc import Callable
from typing import Any

from tests.arranging.browsing import OPENID, REALM
from tests.arranging.logging_in import make_portal
from tests.arranging.walking import AGENTS, ANY_AGENT, EXECUTIONS, log, step
from tests.contract.ai_servers import requests as ai_servers
from tests.contract.world import World

REGISTRATION = {"version": "1.0", "drivers": ["simulate"]}


def start_execution(world: World) -> Any:
    body = {
        "execution_type": "executing",
        "model_id": world.model["modeluuid"],
        "agent": ANY_AGENT,
        "seed": 4711,
    }
    return world.alice.post(EXECUTIONS, json=body)


def get_execution(world: World) -> Any:
    return world.alice.get(f"{EXECUTIONS}/{world.execution_id}")


def abort_execution(world: World) -> Any:
    return world.alice.delete(f"{EXECUTIONS}/{world.queued_run()['execution_id']}")


def register_agent(world: World) -> Any:
    return world.caller("lab").post(f"{AGENTS}/agents", json=REGISTRATION)


def disconnect_agent(world: World) -> Any:
    register_agent(world)
    return world.caller("lab").post(f"{AGENTS}/agents/disconnect")


def claim_run(world: World) -> Any:
    world.queued_run()
    register_agent(world)
    key = "7d9f6c52-0f7e-4a53-9f0b-3c1f6f1c2a10"
    return world.caller("lab").post(f"{AGENTS}/claims", json={"wait_seconds": 0, "claim_key": key})


def report_events(world: World) -> Any:
    first = step(1, action="Open", target="Basket", started_at="2026-11-22T09:30:00.120+00:00")
    events = [first, log("The basket is there.", step=1)]
    return world.walking_agent.report(world.walked_run()["run_id"], events)


def report_heartbeat(world: World) -> Any:
    return world.walking_agent.heartbeat(world.walked_run()["run_id"])


def finish_run(world: World) -> Any:
    return world.walking_agent.finish(world.walked_run()["run_id"], reason="The test case was walked.")


def create_token(world: World) -> Any:
    return ask_openid(world, "token", grant_type="client_credentials")


def introspect_token(world: World) -> Any:
    return ask_openid(world, "token/introspect", token=create_token(world).json()["access_token"])


def revoke_token(world: World) -> Any:
    return ask_openid(world, "revoke", token=create_token(world).json()["access_token"])


def end_login(world: World) -> Any:
    portal = make_portal(world.app, world.client, world.people["alice"])
    return portal.ask("logout", refresh_token=portal.log_in()["refresh_token"])


def get_userinfo(world: World) -> Any:
    return world.alice.get(f"{OPENID}/userinfo")


def ask_userinfo(world: World) -> Any:
    form = {"access_token": create_token(world).json()["access_token"]}
    return world.caller("stranger").post(f"{OPENID}/userinfo", data=form)


def ask_openid(world: World, path: str, **fields: str) -> Any:
    client_id, secret = world.credentials
    form = {**fields, "client_id": client_id, "client_secret": secret}
    return world.caller("stranger").post(f"{OPENID}/{path}", data=form)


def create_api_client(world: World) -> Any:
    body = {
        "name": "CI pipeline",
        "description": "Starts the nightly executions.",
        "role": "admin",
        "client_id": "client:dai:ci",
    }
    return world.admin.post("/api_clients/", json=body)


def list_api_clients(world: World) -> Any:
    create_api_client(world)
    return world.admin.get("/api_clients/", params={"offset": 1})


def get_api_client(world: World) -> Any:
    return world.admin.get(f"/api_clients/{create_api_client(world).json()['id']}")


def update_api_client(world: World) -> Any:
    body = {"name": "Nightly", "redirect_uris": ["https://ci.example.com/callback"]}
    return world.admin.patch(f"/api_clients/{create_api_client(world).json()['id']}", json=body)


def regenerate_secret(world: World) -> Any:
    return world.admin.post(f"/api_clients/{create_api_client(world).json()['id']}/secret")


def revoke_api_client(world: World) -> Any:
    return world.admin.post(f"/api_clients/{create_api_client(world).json()['id']}/revoke")


def delete_api_client(world: World) -> Any:
    return world.admin.delete(f"/api_clients/{create_api_client(world).json()['id']}")


def create_client_token(world: World) -> Any:
    client_id, secret = world.credentials
    body = {"client_id": client_id, "client_secret": secret}
    return world.caller("stranger").post("/api/v2/auth", json=body)


def get_configuration(world: World) -> Any:
    return world.caller("stranger").get(f"{REALM}/.well-known/openid-configuration")


def get_realm(world: World) -> Any:
    return world.caller("stranger").get(REALM)


def list_keys(world: World) -> Any:
    return world.caller("stranger").get(f"{OPENID}/certs")


def show_login_page(world: World) -> Any:
    return world.browser.authorize()


def log_in_by_the_page(world: World) -> Any:
    return world.browser.log_in("alice")


def show_logout_page(world: World) -> Any:
    world.browser.log_in("alice")
    return world.caller("stranger").get(f"{OPENID}/logout")


def log_out_by_the_page(world: World) -> Any:
    return world.browser.submit(show_logout_page(world))


def show_login_status(world: World) -> Any:
    return world.caller("stranger").get(f"{OPENID}/login-status-iframe.html")


def check_login_status(world: World) -> Any:
    assert world.browser
    question = {"client_id": "shop-id", "origin": "https://shop.example.com"}
    return world.caller("stranger").get(f"{OPENID}/login-status-iframe.html/init", params=question)


def try_a_cookie(world: World) -> Any:
    return world.caller("stranger").get(f"{OPENID}/3p-cookies/step1.html")


def tell_of_the_cookie(world: World) -> Any:
    return world.caller("stranger").get(f"{OPENID}/3p-cookies/step2.html")


REQUESTS: dict[str, Callable[[World], Any]] = {
    f"POST {EXECUTIONS}": start_execution,
    f"GET {EXECUTIONS}/{{execution_id}}": get_execution,
    f"DELETE {EXECUTIONS}/{{execution_id}}": abort_execution,
    f"POST {AGENTS}/agents": register_agent,
    f"POST {AGENTS}/agents/disconnect": disconnect_agent,
    f"POST {AGENTS}/claims": claim_run,
    f"POST {AGENTS}/runs/{{run_id}}/events": report_events,
    f"POST {AGENTS}/runs/{{run_id}}/heartbeat": report_heartbeat,
    f"POST {AGENTS}/runs/{{run_id}}/finish": finish_run,
    "POST /auth/realms/{realm}/protocol/openid-connect/token": create_token,
    "POST /auth/realms/{realm}/protocol/openid-connect/token/introspect": introspect_token,
    "POST /auth/realms/{realm}/protocol/openid-connect/revoke": revoke_token,
    "POST /auth/realms/{realm}/protocol/openid-connect/logout": end_login,
    "GET /auth/realms/{realm}/protocol/openid-connect/userinfo": get_userinfo,
    "POST /auth/realms/{realm}/protocol/openid-connect/userinfo": ask_userinfo,
    **ai_servers.REQUESTS,
    "GET /api_clients/": list_api_clients,
    "POST /api_clients/": create_api_client,
    "GET /api_clients/{id}": get_api_client,
    "PATCH /api_clients/{id}": update_api_client,
    "POST /api_clients/{id}/secret": regenerate_secret,
    "POST /api_clients/{id}/revoke": revoke_api_client,
    "DELETE /api_clients/{id}": delete_api_client,
    "POST /api/v2/auth": create_client_token,
    "GET /auth/realms/{realm}": get_realm,
    "GET /auth/realms/{realm}/.well-known/openid-configuration": get_configuration,
    "GET /auth/realms/{realm}/protocol/openid-connect/certs": list_keys,
    "GET /auth/realms/{realm}/protocol/openid-connect/auth": show_login_page,
    "POST /auth/realms/{realm}/login-actions/authenticate": log_in_by_the_page,
    "GET /auth/realms/{realm}/protocol/openid-connect/logout": show_logout_page,
    "POST /auth/realms/{realm}/protocol/openid-connect/logout/logout-confirm": log_out_by_the_page,
    "GET /auth/realms/{realm}/protocol/openid-connect/login-status-iframe.html": show_login_status,
    "GET /auth/realms/{realm}/protocol/openid-connect/login-status-iframe.html/init": check_login_status,
    "GET /auth/realms/{realm}/protocol/openid-connect/3p-cookies/step1.html": try_a_cookie,
    "GET /auth/realms/{realm}/protocol/openid-connect/3p-cookies/step2.html": tell_of_the_cookie,
}
