"""The bodies that the published chapter prints: the server answers with the very same, letter by letter."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from opendai import tables
from opendai.database import Database
from tests.contract.ai_servers.requests import SERVERS
from tests.contract.world import World, made

FOLDER = Path(__file__).parent
# The length of each body by the headers of the chapter.
LENGTHS = {
    "list": 2914,
    "get": 1265,
    "create-request": 874,
    "created": 1244,
    "patched": 1256,
    "credentials-request": 76,
    "credentials": 161,
}
_OWN = {"id", "_links", "authentication_policy", "authentication_protocol"}
_STAMPS = {"created_on", "last_modified_on"}


def printed(name: str) -> str:
    return (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def written(value: Any, depth: int = 0) -> str:
    """A body as the chapter writes it: two spaces for each level, a space on both sides of the colon."""
    indent, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        lines = [f"{indent}{json.dumps(name)} : {written(inner, depth + 1)}" for name, inner in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{outer}}}"
    if isinstance(value, list):
        return f"[ {', '.join(written(inner, depth) for inner in value)} ]"
    return json.dumps(value)


@pytest.mark.parametrize("name", LENGTHS)
def test_the_body_is_kept_as_it_was_printed(name: str) -> None:
    assert len(printed(name).encode()) == LENGTHS[name]
    assert written(json.loads(printed(name))) == printed(name)


@pytest.fixture
def chapter(world: World) -> World:
    """The world at the address of the chapter."""
    settings = world.app.state.parts.settings.model_copy(update={"public_url": "http://localhost:8080"})
    world.replace("settings", settings)
    return world


def store(database: Database, *servers: dict[str, Any]) -> None:
    with database.writing() as session:
        for server in servers:
            values = {name: value for name, value in server.items() if name not in _OWN | _STAMPS}
            moments = {f"{name[:-2]}at": datetime.fromisoformat(server[name]) for name in _STAMPS}
            session.add(tables.AiServer(id=server["id"], **values, **moments))


def test_list(chapter: World, database: Database) -> None:
    store(database, *json.loads(printed("list"))["_embedded"]["ai-servers"])
    assert written(made(chapter.alice.get(SERVERS))) == printed("list")


def test_get(chapter: World, database: Database) -> None:
    store(database, json.loads(printed("get")))
    assert written(made(chapter.alice.get(f"{SERVERS}/3"))) == printed("get")


def test_create(chapter: World) -> None:
    for number in range(5):
        made(chapter.admin.post(SERVERS, json={"name": str(number), "url": "https://llm.example"}))
    headers = {"Content-Type": "application/json"}
    response = chapter.admin.post(SERVERS, headers=headers, content=printed("create-request"))
    assert response.status_code == 201
    stamp = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")
    assert stamp.sub("2020-04-06T10:00:00.000+00:00", written(response.json())) == printed("created")


def test_patch(chapter: World, database: Database) -> None:
    # The chapter's answer has another name and address than its request, so the request has the answer's here.
    answer = json.loads(printed("patched"))
    before = {**answer, "name": "Old", "url": "https://openai.com/", "payload_template": "old"}
    store(database, before)
    request = {**json.loads(printed("create-request")), "name": answer["name"], "url": answer["url"]}
    made(chapter.admin.patch(f"{SERVERS}/4", json=request))
    with database.writing() as session:
        moment = datetime(2020, 4, 6, 10, tzinfo=UTC)
        session.execute(update(tables.AiServer).values(last_modified_at=moment))
    assert written(made(chapter.admin.patch(f"{SERVERS}/4", json=request))) == printed("patched")


def test_delete(chapter: World, database: Database) -> None:
    store(database, json.loads(printed("get")))
    response = chapter.admin.delete(f"{SERVERS}/3", headers={"Content-Type": "application/json"})
    assert (response.status_code, response.content) == (204, b"")


def test_credentials(chapter: World) -> None:
    made(chapter.admin.post(SERVERS, json={"name": "a", "url": "https://llm.example"}))
    headers = {"Content-Type": "application/json"}
    path = f"{SERVERS}/1/credentials"
    response = chapter.admin.post(path, headers=headers, content=printed("credentials-request"))
    assert (response.status_code, written(response.json())) == (200, printed("credentials"))
    response = chapter.admin.get(path, headers=headers)
    assert (response.status_code, written(response.json())) == (200, printed("credentials"))
