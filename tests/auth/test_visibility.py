"""Who may do what: each operation of /ai, asked by everyone.

Alice owns what is asked for, Bob is of another group, Carol is in no group but her own, Nobody has signed up and
has no rights yet, the lab is the API client of an agent.
"""

import re
from typing import Any, NamedTuple

import pytest

from opendai.api.server import Server
from tests.api.operations import every_operation
from tests.contract import cases
from tests.contract.registry import refusals, successes
from tests.contract.world import UNKNOWN_UUID, World

assert cases.__all__  # Importing them registers the cases, each of which asks for something of Alice's.

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d+"
_FIRST_ID = re.compile(rf"(?<=/)(?:{_ID}|suite-\d+)(?=/|$)")

DONE = "done"
NOTHING = "answered with nothing of Alice's"


class Row(NamedTuple):
    """The result for each person: DONE, NOTHING or the status of a refusal."""

    alice: str | int
    bob: str | int
    carol: str | int
    nobody: str | int
    lab: str | int
    admin: str | int


OPEN = Row(alice=DONE, bob=DONE, carol=DONE, nobody=DONE, lab=DONE, admin=DONE)
USERS = Row(alice=DONE, bob=DONE, carol=DONE, nobody=403, lab=403, admin=DONE)
ADMIN = Row(alice=403, bob=403, carol=403, nobody=403, lab=403, admin=DONE)
GROUP = Row(alice=DONE, bob=404, carol=404, nobody=403, lab=403, admin=DONE)
LIST = Row(alice=DONE, bob=NOTHING, carol=NOTHING, nobody=403, lab=403, admin=DONE)
SELF = Row(alice=DONE, bob=403, carol=403, nobody=403, lab=403, admin=DONE)

TABLE: dict[str, Row] = {
    "POST /ai/auth": OPEN,
    "GET /ai/auth": OPEN,
    "DELETE /ai/auth": OPEN,
    "POST /ai/internal/auth": ADMIN,
    "GET /ai/ping": OPEN,
    "GET /ai/status": OPEN,
    "GET /ai/usage": USERS,
    "GET /ai/audit": ADMIN,
    "POST /ai/users": ADMIN,
    "GET /ai/users": ADMIN,
    "GET /ai/users/{user_id}": SELF,
    "PUT /ai/users/{user_id}": ADMIN,
    "DELETE /ai/users/{user_id}": ADMIN,
    "POST /ai/users/{user_id}/welcome_popup": SELF,
    "POST /ai/groups": ADMIN,
    "GET /ai/groups": USERS,
    "GET /ai/groups/{id}": Row(alice=404, bob=404, carol=404, nobody=403, lab=403, admin=DONE),
    "PUT /ai/groups/{id}": ADMIN,
    "DELETE /ai/groups/{id}": ADMIN,
    "POST /ai/licenses": ADMIN,
    "GET /ai/licenses": ADMIN,
    "PATCH /ai/licenses": ADMIN,
    "GET /ai/licenses/{ser_num}": USERS,
    "DELETE /ai/licenses/{ser_num}": ADMIN,
    "PUT /ai/smtp": ADMIN,
    "GET /ai/smtp": ADMIN,
    "POST /ai/agents": ADMIN,
    "GET /ai/agents": USERS,
    "GET /ai/agents/{id}": USERS,
    "PUT /ai/agents/{id}": ADMIN,
    "DELETE /ai/agents/{id}": ADMIN,
    # A group that is not one's own is bad input, in the same words as one that is not there.
    "POST /ai/models": Row(alice=DONE, bob=400, carol=400, nobody=403, lab=403, admin=DONE),
    "GET /ai/models": LIST,
    "GET /ai/models/{model_id}": GROUP,
    "PUT /ai/models/{model_id}": GROUP,
    "DELETE /ai/models/{model_id}": GROUP,
    "PUT /ai/models/{model_id}/agent": GROUP,
    "GET /ai/models/{model_id}/agent": GROUP,
    "GET /ai/models/{model_id}/actions": GROUP,
    "GET /ai/models/{model_id}/coverage": GROUP,
    "GET /ai/models/{model_id}/defects": GROUP,
    "GET /ai/models/{model_id}/release-insights": GROUP,
    "GET /ai/models/{model_id}/runs": GROUP,
    "GET /ai/models/{model_id}/testcaseruns": GROUP,
    "GET /ai/models/{model_id}/testcasesummary": GROUP,
    "POST /ai/models/{model_id}/tags": GROUP,
    "GET /ai/models/{model_id}/tags": GROUP,
    "PUT /ai/models/{model_id}/tags/{tag_id}": GROUP,
    "POST /ai/models/{model_id}/assets": GROUP,
    "GET /ai/models/{model_id}/assets": GROUP,
    "GET /ai/models/{model_id}/assets/{asset_id}": GROUP,
    "PUT /ai/models/{model_id}/assets/{asset_id}": GROUP,
    "DELETE /ai/models/{model_id}/assets/{asset_id}": GROUP,
    "GET /ai/assets/{asset_id}": GROUP,
    "DELETE /ai/assets/{asset_id}": GROUP,
    "POST /ai/models/{model_id}/testcases": GROUP,
    "GET /ai/models/{model_id}/testcases": GROUP,
    "GET /ai/models/{model_id}/testcases/{testcase_id}": GROUP,
    "PUT /ai/models/{model_id}/testcases/{testcase_id}": GROUP,
    "DELETE /ai/models/{model_id}/testcases/{testcase_id}": GROUP,
    "GET /ai/testcases": LIST,
    "POST /ai/coverage/models": ADMIN,
    "GET /ai/coverage/models": USERS,
    "GET /ai/coverage/model/{id}": USERS,
    "PUT /ai/coverage/model/{id}": ADMIN,
    "DELETE /ai/coverage/model/{id}": ADMIN,
    "GET /ai/runs": LIST,
    "GET /ai/runs/{id}": GROUP,
    "DELETE /ai/runs/{id}": GROUP,
    "GET /ai/runs/{id}/timings": GROUP,
    "GET /ai/runs/{id}/screenshots": GROUP,
    # The lab's own agent walked the run.
    "POST /ai/runlogs/{id}": GROUP._replace(lab=DONE),
    "GET /ai/runlogs/{id}": GROUP,
    # An agent names its attempt, which this request does not.
    "POST /ai/screenshots": GROUP._replace(lab=400),
    "GET /ai/screenshots/{artifact_id}": GROUP,
    "GET /ai/screenshots/{artifact_id}/download": GROUP,
    "GET /ai/errors": LIST,
    "GET /ai/executions/{execution_id}": GROUP,
    "POST /ai/testconfigtasks": USERS,
    "GET /ai/testconfigtasks": LIST,
    "GET /ai/testconfigtasks_extended": LIST,
    "GET /ai/testconfigtasks/{id}": GROUP,
    "PUT /ai/testconfigtasks/{id}": GROUP,
    "GET /ai/testconfigtasks/{id}/details": GROUP,
    "GET /ai/testconfigtasks/{id}/summary": GROUP,
}
WRITTEN = [
    (name, person)
    for name, row in TABLE.items()
    for person, outcome in row._asdict().items()
    if outcome == DONE and not name.startswith("GET ")
]


def ask(world: World, name: str, person: str) -> Any:
    return successes[name].ask(world, world.caller(person))


def outcome_of(response: Any) -> str | int:
    if response.status_code >= 400:
        return int(response.status_code)
    body = response.json() if response.status_code == 200 else None
    items = body["items"] if isinstance(body, dict) and "items" in body else body
    return NOTHING if items == [] else DONE


def in_general(refusal: Any) -> str:
    """A refusal's words without the ids that were asked for."""
    return re.sub(_ID, "#", refusal.json()["message"])


def _unknown(found: re.Match[str]) -> str:
    return UNKNOWN_UUID if len(found[0]) == len(UNKNOWN_UUID) else f"{found[0]}987654321"


def test_the_table_has_a_row_for_each_operation(app: Server) -> None:
    offered = {f"{found.method} {found.path}" for found in every_operation(app)}
    assert set(TABLE) == {name for name in offered if name.split(" ")[1].startswith("/ai/")}


@pytest.mark.parametrize("name", TABLE)
def test_whoever_may_not_is_refused_and_changes_nothing(name: str, world: World) -> None:
    ask(world, name, "stranger")  # Which arranges what is asked for.
    assert world.carol
    before = world.rows()
    for person, expected in TABLE[name]._asdict().items():
        if expected != DONE:
            assert outcome_of(ask(world, name, person)) == expected, person
            assert world.rows() == before, person


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith("GET ")])
def test_whoever_may_read_gets_it(name: str, world: World) -> None:
    for person, expected in TABLE[name]._asdict().items():
        if expected == DONE:
            assert outcome_of(ask(world, name, person)) == DONE, person


@pytest.mark.parametrize(("name", "person"), WRITTEN)
def test_whoever_may_write_does(name: str, person: str, world: World) -> None:
    assert outcome_of(ask(world, name, person)) == DONE


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.bob == 404])
def test_what_is_of_another_group_is_refused_in_the_words_of_what_is_not_there(
    name: str, world: World
) -> None:
    foreign = ask(world, name, "bob")
    request = foreign.request
    path = _FIRST_ID.sub(_unknown, request.url.path, count=1)
    if path == request.url.path:  # The id is in the body.
        missing = refusals[name, 404].ask(world, world.bob)
    else:
        missing = world.client.request(request.method, path, headers=request.headers, content=request.content)
    assert (missing.status_code, in_general(missing)) == (404, in_general(foreign))


def test_people_see_their_own_groups_only(world: World) -> None:
    names = {
        person: {group["groupname"] for group in world.caller(person).get("/ai/groups").json()}
        for person in ("alice", "bob", "carol", "admin")
    }
    assert names == {
        "alice": {"alice", "shop"},
        "bob": {"bob", "bank"},
        "carol": {"carol"},
        "admin": {"admin", "alice", "shop", "bob", "bank", "carol"},
    }
