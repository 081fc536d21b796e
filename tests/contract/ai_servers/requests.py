"""One request for each operation on AI servers, that works and is shown on the family's page."""

from collections.abc import Callable
from typing import Any

from tests.contract.world import AI_SERVER, World, made

SERVERS = "/api/rest/latest/ai-servers"
CREDENTIALS = {"_type": "token-auth-credentials", "token": "the-token-of-the-provider"}


def list_servers(world: World) -> Any:
    assert world.ai_server
    return world.alice.get(SERVERS, params={"sort": "name"})


def get_server(world: World) -> Any:
    return world.alice.get(f"{SERVERS}/{world.ai_server['id']}")


def create_server(world: World) -> Any:
    return world.admin.post(SERVERS, json=AI_SERVER)


def update_server(world: World) -> Any:
    body = {"description": "Drafts test cases, in English.", "timeout_seconds": 120}
    return world.admin.patch(f"{SERVERS}/{world.ai_server['id']}", json=body)


def delete_servers(world: World) -> Any:
    return world.admin.delete(f"{SERVERS}/{world.ai_server['id']}")


def get_credentials(world: World) -> Any:
    made(set_credentials(world))
    return world.admin.get(f"{SERVERS}/{world.ai_server['id']}/credentials")


def set_credentials(world: World) -> Any:
    return world.admin.post(f"{SERVERS}/{world.ai_server['id']}/credentials", json=CREDENTIALS)


REQUESTS: dict[str, Callable[[World], Any]] = {
    f"GET {SERVERS}": list_servers,
    f"GET {SERVERS}/{{id}}": get_server,
    f"POST {SERVERS}": create_server,
    f"PATCH {SERVERS}/{{id}}": update_server,
    f"DELETE {SERVERS}/{{id}}": delete_servers,
    f"GET {SERVERS}/{{id}}/credentials": get_credentials,
    f"POST {SERVERS}/{{id}}/credentials": set_credentials,
}
