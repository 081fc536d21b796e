"""Tags and assets of models."""

from typing import Any

from tests.contract.registry import error, success
from tests.contract.world import UNKNOWN_ID, Caller, World, made

TAG = {"model": "Shop", "tag": "smoke", "author": "alice"}
ASSET = {"asset_id": "suite-7"}
_TOO_LONG = "x" * 256


def _tags(world: World) -> str:
    return f"/ai/models/{world.model['id']}/tags"


def _assets(world: World) -> str:
    return f"/ai/models/{world.model['id']}/assets"


def _tagged(world: World) -> Any:
    return world.once("POST", _tags(world), {**TAG, "tag": "owned"})


def _associated(world: World) -> str:
    """The id of an asset of the model."""
    world.once("POST", _assets(world), ASSET)
    return ASSET["asset_id"]


@success("POST /ai/models/{model_id}/tags")
def create_tag(world: World, caller: Caller) -> Any:
    return caller.post(_tags(world), json=TAG)


@error("POST /ai/models/{model_id}/tags", 400)
def create_tag_without_text(world: World, caller: Caller) -> Any:
    return caller.post(_tags(world), json={**TAG, "tag": ""})


@error("POST /ai/models/{model_id}/tags", 404)
def create_tag_of_a_model_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.post(f"/ai/models/{UNKNOWN_ID}/tags", json=TAG)


@error("POST /ai/models/{model_id}/tags", 409)
def create_tag_twice(world: World, caller: Caller) -> Any:
    return caller.post(_tags(world), json={**TAG, "tag": _tagged(world)["tag"]})


@success("GET /ai/models/{model_id}/tags")
def list_tags(world: World, caller: Caller) -> Any:
    _tagged(world)
    return caller.get(_tags(world))


@success("PUT /ai/models/{model_id}/tags/{tag_id}")
def update_tag(world: World, caller: Caller) -> Any:
    return caller.put(f"{_tags(world)}/{_tagged(world)['id']}", json=TAG)


@error("PUT /ai/models/{model_id}/tags/{tag_id}", 400)
def update_tag_without_text(world: World, caller: Caller) -> Any:
    return caller.put(f"{_tags(world)}/{_tagged(world)['id']}", json={**TAG, "tag": ""})


@error("PUT /ai/models/{model_id}/tags/{tag_id}", 404)
def update_tag_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.put(f"{_tags(world)}/{UNKNOWN_ID}", json=TAG)


@error("PUT /ai/models/{model_id}/tags/{tag_id}", 409)
def update_tag_to_one_that_is_there(world: World, caller: Caller) -> Any:
    made(world.alice.post(_tags(world), json=TAG))
    return caller.put(f"{_tags(world)}/{_tagged(world)['id']}", json=TAG)


@success("POST /ai/models/{model_id}/assets")
def create_asset(world: World, caller: Caller) -> Any:
    return caller.post(_assets(world), json=ASSET)


@error("POST /ai/models/{model_id}/assets", 400)
def create_asset_without_an_id(world: World, caller: Caller) -> Any:
    return caller.post(_assets(world), json={"asset_id": ""})


@error("POST /ai/models/{model_id}/assets", 404)
def create_asset_of_a_model_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.post(f"/ai/models/{UNKNOWN_ID}/assets", json=ASSET)


@error("POST /ai/models/{model_id}/assets", 409)
def create_asset_twice(world: World, caller: Caller) -> Any:
    return caller.post(_assets(world), json={"asset_id": _associated(world)})


@success("GET /ai/models/{model_id}/assets")
def list_assets_of_model(world: World, caller: Caller) -> Any:
    _associated(world)
    return caller.get(_assets(world))


@error("GET /ai/models/{model_id}/assets", 404)
def list_assets_of_a_model_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/models/{UNKNOWN_ID}/assets")


@success("GET /ai/models/{model_id}/assets/{asset_id}")
def get_asset_of_model(world: World, caller: Caller) -> Any:
    return caller.get(f"{_assets(world)}/{_associated(world)}")


@error("GET /ai/models/{model_id}/assets/{asset_id}", 400)
def get_asset_of_model_by_an_id_that_cannot_be(world: World, caller: Caller) -> Any:
    return caller.get(f"{_assets(world)}/{_TOO_LONG}")


@error("GET /ai/models/{model_id}/assets/{asset_id}", 404)
def get_asset_that_the_model_has_not(world: World, caller: Caller) -> Any:
    return caller.get(f"{_assets(world)}/unknown")


@success("PUT /ai/models/{model_id}/assets/{asset_id}")
def update_asset_of_model(world: World, caller: Caller) -> Any:
    return caller.put(f"{_assets(world)}/{_associated(world)}", json={"asset_id": "suite-8"})


@error("PUT /ai/models/{model_id}/assets/{asset_id}", 400)
def update_asset_of_model_without_an_id(world: World, caller: Caller) -> Any:
    return caller.put(f"{_assets(world)}/{_associated(world)}", json={"asset_id": ""})


@error("PUT /ai/models/{model_id}/assets/{asset_id}", 404)
def update_asset_that_the_model_has_not(world: World, caller: Caller) -> Any:
    return caller.put(f"{_assets(world)}/unknown", json=ASSET)


@error("PUT /ai/models/{model_id}/assets/{asset_id}", 409)
def update_asset_to_one_that_the_model_has(world: World, caller: Caller) -> Any:
    made(world.alice.post(_assets(world), json={"asset_id": "suite-8"}))
    return caller.put(f"{_assets(world)}/{_associated(world)}", json={"asset_id": "suite-8"})


@success("DELETE /ai/models/{model_id}/assets/{asset_id}")
def delete_asset_of_model(world: World, caller: Caller) -> Any:
    return caller.delete(f"{_assets(world)}/{_associated(world)}")


@error("DELETE /ai/models/{model_id}/assets/{asset_id}", 400)
def delete_asset_of_model_by_an_id_that_cannot_be(world: World, caller: Caller) -> Any:
    return caller.delete(f"{_assets(world)}/{_TOO_LONG}")


@error("DELETE /ai/models/{model_id}/assets/{asset_id}", 404)
def delete_asset_that_the_model_has_not(world: World, caller: Caller) -> Any:
    return caller.delete(f"{_assets(world)}/unknown")


@success("GET /ai/assets/{asset_id}")
def list_models_of_asset(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/assets/{_associated(world)}")


@error("GET /ai/assets/{asset_id}", 400)
def list_models_of_an_asset_that_cannot_be(world: World, caller: Caller) -> Any:
    return caller.get(f"/ai/assets/{_TOO_LONG}")


@error("GET /ai/assets/{asset_id}", 404)
def list_models_of_an_asset_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.get("/ai/assets/unknown")


@success("DELETE /ai/assets/{asset_id}")
def delete_asset(world: World, caller: Caller) -> Any:
    return caller.delete(f"/ai/assets/{_associated(world)}")


@error("DELETE /ai/assets/{asset_id}", 400)
def delete_an_asset_that_cannot_be(world: World, caller: Caller) -> Any:
    return caller.delete(f"/ai/assets/{_TOO_LONG}")


@error("DELETE /ai/assets/{asset_id}", 404)
def delete_an_asset_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.delete("/ai/assets/unknown")
