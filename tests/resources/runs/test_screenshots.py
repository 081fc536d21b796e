"""Screenshots: received as MessagePack, served by a short-lived address."""

import io
import threading
import uuid
from pathlib import Path
from typing import Any

import msgpack
import pytest
from PIL import Image
from sqlalchemy import func, select

from opendai import tables
from opendai.database import Database
from opendai.settings import Settings
from opendai.worker.objects import sweep_objects
from tests.arranging.models import create_model
from tests.arranging.walking import ANY_AGENT, HandAgent, png, send_screenshot, start
from tests.conftest import Person, Program
from tests.inprocess import TestClient

SHOT = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def run(client: TestClient, alice: Person, samples: dict[str, str]) -> int:
    clinic = create_model(client, alice, samples["petclinic"])
    return start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)["run_id"]


def _objects(settings: Settings) -> list[Path]:
    return [path for path in (settings.data_dir / "objects" / "objects").rglob("*.*") if path.is_file()]


def _count(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count(tables.Screenshot.id))) or 0


def test_a_screenshot_is_accepted_and_listed(client: TestClient, alice: Person, run: int) -> None:
    response = send_screenshot(client, alice.bearer, run_id=run, artifact_id=SHOT)
    assert (response.status_code, response.json()) == (202, {"artifactid": SHOT})
    body = client.get(f"/ai/runs/{run}/screenshots", headers=alice.bearer).json()
    assert body["total_count"] == 1
    assert body["items"] == [
        {
            "timestamp": "2026-11-22T09:30:00.120000+00:00",
            "artifactid": SHOT,
            "name": "after",
            "capture_type": "automatic",
            "content_type": "image/png",
            "state": "HomePage",
            "action": "e_StartBrowser",
            "script": "",
            "suite": "PetClinic.suite",
        }
    ]


def test_the_picture_is_behind_a_signed_address(client: TestClient, alice: Person, run: int) -> None:
    send_screenshot(client, alice.bearer, run_id=run, artifact_id=SHOT)
    response = client.get(f"/ai/screenshots/{SHOT}", headers=alice.bearer)
    assert response.status_code == 303
    assert response.headers["cache-control"] == "no-store"
    picture = client.get(response.headers["location"])
    assert picture.status_code == 200
    assert picture.content == png()
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in picture.headers["content-security-policy"]
    assert client.get(response.headers["location"] + "0").status_code == 403


def test_the_download_is_a_file_to_save(client: TestClient, alice: Person, run: int) -> None:
    send_screenshot(client, alice.bearer, run_id=run, artifact_id=SHOT)
    response = client.get(f"/ai/screenshots/{SHOT}/download", headers=alice.bearer)
    assert response.status_code == 303
    picture = client.get(response.headers["location"])
    assert picture.headers["content-disposition"] == f'attachment; filename="screenshot-{SHOT}.png"'


def test_only_run_and_image_are_needed(client: TestClient, alice: Person, run: int) -> None:
    packed = msgpack.packb({"run_id": run, "image": png()})
    response = client.post("/ai/screenshots", headers=alice.bearer, content=packed)
    assert response.status_code == 202
    assert uuid.UUID(response.json()["artifactid"])


def test_the_same_id_again_is_the_same_screenshot(
    client: TestClient, alice: Person, run: int, database: Database, settings: Settings
) -> None:
    before = len(_objects(settings))
    for color in ("red", "blue"):
        response = send_screenshot(client, alice.bearer, run_id=run, artifact_id=SHOT, image=png(color))
        assert response.status_code == 202
    assert _count(database) == 1
    assert len(_objects(settings)) == before + 1
    place = client.get(f"/ai/screenshots/{SHOT}", headers=alice.bearer).headers["location"]
    assert client.get(place).content == png("red")


def test_an_id_of_another_run_is_refused(
    client: TestClient, alice: Person, run: int, samples: dict[str, str]
) -> None:
    send_screenshot(client, alice.bearer, run_id=run, artifact_id=SHOT)
    store = create_model(client, alice, samples["webstore"], name="WebStore")
    other = start(client, alice, model_id=store["modeluuid"], agent=ANY_AGENT)["run_id"]
    assert send_screenshot(client, alice.bearer, run_id=other, artifact_id=SHOT).status_code == 409


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_type_comes_from_the_picture_and_not_from_the_sender(
    client: TestClient, alice: Person, run: int, kind: str
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, kind)
    send_screenshot(client, alice.bearer, run_id=run, image=file.getvalue(), content_type="text/html")
    item = client.get(f"/ai/runs/{run}/screenshots", headers=alice.bearer).json()["items"][0]
    assert item["content_type"] == f"image/{kind.lower()}"


def _bomb() -> bytes:
    picture = bytearray(png())
    picture[16:24] = (65_535).to_bytes(4, "big") * 2
    return bytes(picture)


@pytest.mark.parametrize(
    "fields",
    [
        {"run_id": None},
        {"run_id": "1"},
        {"run_id": True},
        {"run_id": 2**63},
        {"run_id": 1.0},
        {"image": None},
        {"image": "text"},
        {"image": b""},
        {"image": b"<svg xmlns='http://www.w3.org/2000/svg'/>"},
        {"image": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n"},
        {"image": _bomb()},
        {"artifact_id": "no-uuid"},
        {"timestamp": "yesterday"},
        {"timestamp": "9999-12-31T00:00:00Z"},
        {"name": "x" * 256},
        {"name": "a\0b"},
        {"state": ["HomePage"]},
        {"attempt": "1"},
    ],
    ids=str,
)
def test_an_invalid_screenshot_is_refused_and_nothing_is_stored(
    client: TestClient,
    alice: Person,
    run: int,
    database: Database,
    settings: Settings,
    fields: dict[str, Any],
) -> None:
    before = _objects(settings)
    response = send_screenshot(client, alice.bearer, **{"run_id": run, **fields})
    assert response.status_code == 400, response.text
    assert response.json()["message"]
    assert _count(database) == 0
    assert _objects(settings) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x81",
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 2000,
        msgpack.packb([1, 2]),
        msgpack.packb({1: 2}),
        msgpack.packb({"run_id": 1, "image": msgpack.ExtType(5, b"x")}),
        msgpack.packb({"run_id": 1, "image": b"x"}) + b"more",
        b"\x81\xa1\xff\x01",
        b"\xd6\xff\x00\x00\x00\x00",
    ],
)
def test_broken_messagepack_is_refused(client: TestClient, alice: Person, run: int, body: bytes) -> None:
    response = client.post("/ai/screenshots", headers=alice.bearer, content=body)
    assert response.status_code == 400, response.text


def test_a_picture_over_sixteen_megabytes_is_refused(client: TestClient, alice: Person, run: int) -> None:
    response = send_screenshot(client, alice.bearer, run_id=run, image=png() + b"x" * (16 << 20))
    assert response.status_code == 413
    assert response.json() == {"message": "The body is larger than this address accepts."}


def test_an_agents_client_must_name_its_own_attempt(
    client: TestClient, alice: Person, run: int, lab: Program, database: Database
) -> None:
    agent = HandAgent(client, lab)
    assert agent.screenshot(run, attempt=1).status_code == 409
    agent.take()
    assert agent.screenshot(run).status_code == 400
    assert agent.screenshot(run, attempt=2).status_code == 409
    assert agent.screenshot(99, attempt=1).status_code == 404
    assert _count(database) == 0
    assert agent.screenshot(run, attempt=1).status_code == 202
    agent.finish(run)
    assert agent.screenshot(run, attempt=1).status_code == 409
    assert _count(database) == 1


def test_people_and_administrators_clients_add_to_any_run_they_can_see(
    client: TestClient, alice: Person, bob: Person, ci: Program, run: int
) -> None:
    assert send_screenshot(client, ci.bearer, run_id=run).status_code == 202
    assert send_screenshot(client, bob.bearer, run_id=run).status_code == 404
    assert send_screenshot(client, alice.bearer, run_id=99).status_code == 404


def test_bob_cannot_see_alices_screenshot(client: TestClient, alice: Person, bob: Person, run: int) -> None:
    send_screenshot(client, alice.bearer, run_id=run, artifact_id=SHOT)
    for path in (f"/ai/screenshots/{SHOT}", f"/ai/screenshots/{SHOT}/download"):
        response = client.get(path, headers=bob.bearer)
        assert response.status_code == 404
        assert response.json() == {"message": f"There is no screenshot {SHOT}."}


def test_deleting_the_model_deletes_the_pictures_after_the_next_sweep(
    client: TestClient, app: Any, alice: Person, run: int, database: Database, settings: Settings
) -> None:
    send_screenshot(client, alice.bearer, run_id=run, artifact_id=SHOT)
    place = client.get(f"/ai/screenshots/{SHOT}", headers=alice.bearer).headers["location"]
    assert client.delete("/ai/models/1", headers=alice.bearer).status_code == 200
    sweep_objects(app.state.parts, threading.Event())
    assert client.get(place).status_code == 404
    with database.reading() as session:
        assert session.scalar(select(func.count(tables.DoomedObject.id))) == 0
