"""/ai/models/{model_id}/assets and /ai/assets."""

from typing import Any

import pytest
from sqlalchemy import select

from opendai import tables
from opendai.database import Database
from tests.arranging.models import create_model
from tests.conftest import Person, Program
from tests.inprocess import TestClient

ASSETS = "/ai/models/1/assets"


@pytest.fixture(autouse=True)
def model(client: TestClient, alice: Person, samples: dict[str, str]) -> Any:
    return create_model(client, alice, samples["petclinic"])


def _add(client: TestClient, person: Person, asset_id: str, *, model: int = 1) -> Any:
    response = client.post(f"/ai/models/{model}/assets", headers=person.bearer, json={"asset_id": asset_id})
    assert response.status_code == 201, response.text
    return response.json()


def test_an_asset_is_associated_listed_and_read(client: TestClient, alice: Person) -> None:
    body = {"id": 9, "asset_id": "Shop.suite@3", "model_id": 7}
    response = client.post(ASSETS, headers=alice.bearer, json=body)
    asset = {"id": 1, "asset_id": "Shop.suite@3", "model_id": 1}
    assert (response.status_code, response.json()) == (201, asset)
    second = _add(client, alice, "42")
    for path, expected in (
        (ASSETS, [asset, second]),
        (f"{ASSETS}/Shop.suite@3", asset),
        (f"{ASSETS}/42", second),
        ("/ai/assets/42", [second]),
    ):
        response = client.get(path, headers=alice.bearer)
        assert (response.status_code, response.json()) == (200, expected)


@pytest.mark.parametrize(
    ("asset_id", "address"),
    [("suites/Shop.suite", "suites/Shop.suite"), ("Größe 3?", "Gr%C3%B6%C3%9Fe%203%3F")],
)
def test_any_line_of_text_is_an_id(client: TestClient, alice: Person, asset_id: str, address: str) -> None:
    asset = _add(client, alice, asset_id)
    assert client.get(f"{ASSETS}/{address}", headers=alice.bearer).json() == asset
    assert client.get(f"/ai/assets/{address}", headers=alice.bearer).json() == [asset]
    assert client.delete(f"{ASSETS}/{address}", headers=alice.bearer).status_code == 204
    assert client.get(ASSETS, headers=alice.bearer).json() == []


def test_another_asset_takes_the_place_of_one(client: TestClient, alice: Person) -> None:
    _add(client, alice, "v1")
    response = client.put(f"{ASSETS}/v1", headers=alice.bearer, json={"asset_id": "v2", "model_id": 9})
    changed = {"id": 1, "asset_id": "v2", "model_id": 1}
    assert (response.status_code, response.json()) == (200, changed)
    assert client.get(ASSETS, headers=alice.bearer).json() == [changed]
    same = client.put(f"{ASSETS}/v2", headers=alice.bearer, json={"asset_id": "v2"})
    assert (same.status_code, same.json()) == (200, changed)


def test_the_same_asset_twice_is_a_conflict(client: TestClient, alice: Person) -> None:
    assets = [_add(client, alice, "v1"), _add(client, alice, "v2")]
    for response in (
        client.post(ASSETS, headers=alice.bearer, json={"asset_id": "v1"}),
        client.put(f"{ASSETS}/v2", headers=alice.bearer, json={"asset_id": "v1"}),
    ):
        assert (response.status_code, response.json()) == (
            409,
            {"message": "Model 1 has this asset already."},
        )
    assert client.get(ASSETS, headers=alice.bearer).json() == assets


def test_taking_an_asset_from_a_model_leaves_the_others(client: TestClient, alice: Person) -> None:
    _add(client, alice, "v1")
    kept = _add(client, alice, "v2")
    response = client.delete(f"{ASSETS}/v1", headers=alice.bearer)
    assert (response.status_code, response.content) == (204, b"")
    assert client.get(ASSETS, headers=alice.bearer).json() == [kept]
    for method in ("GET", "PUT", "DELETE"):
        response = client.request(method, f"{ASSETS}/v1", headers=alice.bearer, json={"asset_id": "x"})
        assert (response.status_code, response.json()) == (404, {"message": 'Model 1 has no asset "v1".'})


def test_deleting_an_asset_takes_it_from_every_model_that_the_caller_sees(
    client: TestClient, alice: Person, bob: Person, samples: dict[str, str]
) -> None:
    create_model(client, alice, samples["webstore"], name="WebStore")
    create_model(client, bob, samples["webstore"], name="Bank", group="bank")
    first, second = _add(client, alice, "v1"), _add(client, alice, "v1", model=2)
    kept, foreign = _add(client, alice, "v2"), _add(client, bob, "v1", model=3)
    assert client.get("/ai/assets/v1", headers=alice.bearer).json() == [first, second]
    assert client.get("/ai/assets/v1", headers=bob.bearer).json() == [foreign]
    response = client.delete("/ai/assets/v1", headers=alice.bearer)
    assert (response.status_code, response.content) == (204, b"")
    assert client.get(ASSETS, headers=alice.bearer).json() == [kept]
    assert client.get("/ai/models/2/assets", headers=alice.bearer).json() == []
    assert client.get("/ai/assets/v1", headers=bob.bearer).json() == [foreign]
    for method in ("GET", "DELETE"):
        for asset in ("v1", "never"):
            response = client.request(method, f"/ai/assets/{asset}", headers=alice.bearer)
            assert (response.status_code, response.json()) == (
                404,
                {"message": f'There is no asset "{asset}".'},
            )


def test_an_administrator_deletes_an_asset_everywhere(
    client: TestClient, alice: Person, bob: Person, admin: Person, samples: dict[str, str], database: Database
) -> None:
    create_model(client, bob, samples["webstore"], name="Bank", group="bank")
    _add(client, alice, "v1")
    _add(client, bob, "v1", model=2)
    assert client.delete("/ai/assets/v1", headers=admin.bearer).status_code == 204
    with database.reading() as session:
        assert session.scalars(select(tables.ModelAsset)).all() == []


@pytest.mark.parametrize(
    "body", [{}, {"asset_id": None}, {"asset_id": ""}, {"asset_id": "x" * 256}, {"asset_id": "a\tb"}]
)
def test_an_id_that_is_not_allowed_is_refused_and_nothing_is_stored(
    client: TestClient, alice: Person, body: dict[str, object]
) -> None:
    asset = _add(client, alice, "v1")
    for method, path in (("POST", ASSETS), ("PUT", f"{ASSETS}/v1")):
        response = client.request(method, path, headers=alice.bearer, json=body)
        assert response.status_code == 400
        assert [fault["field"] for fault in response.json()["errors"]] == ["asset_id"]
    assert client.get(ASSETS, headers=alice.bearer).json() == [asset]


@pytest.mark.parametrize("address", ["x" * 256, "%00", "a%09b", ""])
def test_an_address_that_no_asset_can_have_is_refused(
    client: TestClient, alice: Person, address: str
) -> None:
    for method, path in (
        ("GET", f"/ai/assets/{address}"),
        ("DELETE", f"/ai/assets/{address}"),
        ("GET", f"{ASSETS}/{address}"),
        ("PUT", f"{ASSETS}/{address}"),
        ("DELETE", f"{ASSETS}/{address}"),
    ):
        response = client.request(method, path, headers=alice.bearer, json={"asset_id": "v2"})
        assert response.status_code == 400, (method, path)
        assert [fault["field"] for fault in response.json()["errors"]] == ["asset_id"]


def test_the_assets_of_a_foreign_model_are_unknown(
    client: TestClient, alice: Person, bob: Person, nobody: Person, lab: Program
) -> None:
    asset = _add(client, alice, "v1")
    of_model = [
        ("POST", ASSETS),
        ("GET", ASSETS),
        ("GET", f"{ASSETS}/v1"),
        ("PUT", f"{ASSETS}/v1"),
        ("DELETE", f"{ASSETS}/v1"),
        ("GET", "/ai/models/7/assets"),
    ]
    for method, path in of_model:
        response = client.request(method, path, headers=bob.bearer, json={"asset_id": "v2"})
        number = path.split("/")[3]
        assert (response.status_code, response.json()) == (404, {"message": f"There is no model {number}."})
    for method, path in [*of_model, ("GET", "/ai/assets/v1"), ("DELETE", "/ai/assets/v1")]:
        for person in (nobody, lab):
            response = client.request(method, path, headers=person.bearer, json={"asset_id": "v2"})
            assert response.status_code == 403
    for method in ("GET", "DELETE"):
        response = client.request(method, "/ai/assets/v1", headers=bob.bearer)
        assert (response.status_code, response.json()) == (404, {"message": 'There is no asset "v1".'})
    assert client.get(ASSETS, headers=alice.bearer).json() == [asset]
