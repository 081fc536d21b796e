"""Bodies of requests: read for callers who may send one, within limits, as the type that they are."""

import json
import time
import tracemalloc
from typing import Any

import pytest

from opendai.api import server
from tests.conftest import Person, Program
from tests.inprocess import TestClient

JSON = {"Content-Type": "application/json"}
AGENT = {"name": "lab"}


def test_a_strangers_body_is_not_read(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any, **__: Any) -> bytes:
        raise AssertionError("the body was read")

    monkeypatch.setattr(server, "read_body", fail)
    assert client.post("/ai/models", content=b"[]" * 1000, headers=JSON).status_code == 401


def test_a_body_of_someone_who_may_not_is_not_read(
    client: TestClient, lab: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> bytes:
        raise AssertionError("the body was read")

    monkeypatch.setattr(server, "read_body", fail)
    assert client.post("/ai/models", json={}, headers=lab.bearer).status_code == 403


def test_json_of_too_many_parts_is_refused_at_little_cost(client: TestClient, alice: Person) -> None:
    body = b'{"name":[' + b"[]," * 7_000_000 + b"0]}"
    body = body[: 20 << 20]
    tracemalloc.start()
    try:
        started = time.process_time()
        response = client.post("/ai/models", content=body, headers={**JSON, **alice.bearer})
        seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert response.status_code == 400
    assert response.json()["message"] == "body: the body has more than 200000 parts"
    # The body itself, its copies on the way, and no tree.
    assert peak < 5 * len(body)
    assert seconds < 10


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be"])
def test_json_is_utf_8(client: TestClient, admin: Person, encoding: str) -> None:
    body = json.dumps(AGENT).encode(encoding)
    response = client.post("/ai/models", content=body, headers={**JSON, **admin.bearer})
    assert response.status_code == 400
    assert "UTF-8" in response.json()["message"]


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "text/plain;charset=utf-8"]
)
def test_json_under_a_type_that_nobody_chose_is_json(client: TestClient, alice: Person, kind: str) -> None:
    body = json.dumps({"name": "Shop", "group": "shop"})
    response = client.post("/ai/models", content=body, headers={"Content-Type": kind, **alice.bearer})
    assert (response.status_code, response.json()["name"]) == (200, "Shop")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"name=Shop&group=shop"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nS\r\n--x--',
        ),
        ("application/xml", b"<name/>"),
        ("application/octet-stream", b'{"name": "Shop", "group": "shop"}'),
    ],
)
def test_another_type_is_refused_with_the_one_that_is_taken(
    client: TestClient, alice: Person, kind: str, body: bytes
) -> None:
    response = client.post("/ai/models", content=body, headers={"Content-Type": kind, **alice.bearer})
    assert response.status_code == 415
    assert response.json() == {"message": "The body must be application/json."}
