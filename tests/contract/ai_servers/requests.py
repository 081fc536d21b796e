"""One request for each operation on AI servers, that works and is shown on the family's page."""

import json
import time
from collections.abc import Callable
from typing import Any

from tests.contract.world import AI_SERVER, World, made

SERVERS = "/api/rest/latest/ai-servers"
CREDENTIALS = {"_type": "token-auth-credentials", "token": "the-token-of-the-provider"}

REQUIREMENT = "A visitor opens the shop and sees an empty basket."
DRAFTS = {
    "testCases": [
        {
            "name": "The basket is empty at first",
            "description": "A visitor opens the shop.",
            "prerequisites": "The visitor is new.",
            "testSteps": [
                {"index": 1, "action": "Open", "expectedResult": 'The state is "Basket"'},
                {"index": 2, "action": "Count the items", "expectedResult": "There are none"},
            ],
        }
    ]
}


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


def try_server(world: World) -> Any:
    made(set_credentials(world))
    world.answer_for_ai_servers(json.dumps(DRAFTS))
    return world.admin.post(f"{SERVERS}/{world.ai_server['id']}/test", json={"requirement": REQUIREMENT})


def start_generation(world: World) -> Any:
    world.answer_for_ai_servers(json.dumps(DRAFTS))
    body = {"requirement": REQUIREMENT, "model_id": world.model["modeluuid"]}
    return world.alice.post(f"{SERVERS}/{world.ai_server['id']}/generations", json=body)


def finished(world: World) -> str:
    """The path of a generation that has ended."""
    path = f"{SERVERS}/{world.ai_server['id']}/generations/{made(start_generation(world))['id']}"
    end = time.monotonic() + 10
    while made(world.alice.get(path))["status"] != "FINISHED":
        assert time.monotonic() < end, path
        time.sleep(0.02)
    return path


def list_generations(world: World) -> Any:
    return world.alice.get(finished(world).rpartition("/")[0])


def get_generation(world: World) -> Any:
    return world.alice.get(finished(world))


def cancel_generation(world: World) -> Any:
    return world.alice.delete(finished(world))


def accept_proposals(world: World) -> Any:
    return world.alice.post(f"{finished(world)}/accept", json={"proposals": [1]})


REQUESTS: dict[str, Callable[[World], Any]] = {
    f"GET {SERVERS}": list_servers,
    f"GET {SERVERS}/{{id}}": get_server,
    f"POST {SERVERS}": create_server,
    f"PATCH {SERVERS}/{{id}}": update_server,
    f"DELETE {SERVERS}/{{id}}": delete_servers,
    f"GET {SERVERS}/{{id}}/credentials": get_credentials,
    f"POST {SERVERS}/{{id}}/credentials": set_credentials,
    f"POST {SERVERS}/{{id}}/test": try_server,
    f"POST {SERVERS}/{{id}}/generations": start_generation,
    f"GET {SERVERS}/{{id}}/generations": list_generations,
    f"GET {SERVERS}/{{id}}/generations/{{generation_id}}": get_generation,
    f"DELETE {SERVERS}/{{id}}/generations/{{generation_id}}": cancel_generation,
    f"POST {SERVERS}/{{id}}/generations/{{generation_id}}/accept": accept_proposals,
}
