"""Assets that models use, such as versions of a suite. The server knows their ids and nothing else about them."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Path, Response
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.database import AnyRow
from opendai.errors import Conflict, NotFound
from opendai.parts import repository
from opendai.resources.models.visible import get_model, hold_model
from opendai.wire.inputs import Id, Input, Line, Name, Output
from opendai.wire.routing import Router

# The published page has an int in paths and text in bodies: any text is accepted, with slashes too.
AssetId = Annotated[Line, Path(min_length=1)]


class ModelAssetIn(Input):
    """Only the asset's id counts: the model is that of the path."""

    asset_id: Name


class ModelAssetOut(Output):
    """The use of one asset by one model; `id` is the id of the use."""

    id: int
    asset_id: str
    model_id: int


class AssetRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def of_model(self, model_id: int, caller: Caller) -> Sequence[AnyRow]:
        model = get_model(self._session, model_id, caller)
        return self._search(tables.ModelAsset.model_id == model.id)

    def uses(self, asset_id: str, caller: Caller) -> Sequence[AnyRow]:
        """The uses of an asset by models that the caller sees; NotFound if there are none."""
        found = self._search(*_uses_seen(asset_id, caller))
        if not found:
            raise NotFound(f'There is no asset "{asset_id}".')
        return found

    def get(self, model_id: int, asset_id: str, caller: Caller) -> AnyRow:
        found = self._search(*_is_use(get_model(self._session, model_id, caller).id, asset_id))
        if not found:
            raise _missing(model_id, asset_id)
        return found[0]

    def add(self, model_id: int, given: ModelAssetIn, caller: Caller) -> tables.ModelAsset:
        model = hold_model(self._session, model_id, caller)
        asset = tables.ModelAsset(model_id=model.id, asset_id=given.asset_id)
        self._session.add(asset)
        try:
            self._session.flush()
        except IntegrityError as error:
            raise _taken(model_id) from error
        return asset

    def change(self, model_id: int, asset_id: str, given: ModelAssetIn, caller: Caller) -> AnyRow:
        model = hold_model(self._session, model_id, caller)
        asset = tables.ModelAsset
        statement = update(asset).where(*_is_use(model.id, asset_id)).values(asset_id=given.asset_id)
        try:
            row = self._session.execute(
                statement.returning(asset.id, asset.asset_id, asset.model_id)
            ).one_or_none()
        except IntegrityError as error:
            raise _taken(model_id) from error
        if row is None:
            raise _missing(model_id, asset_id)
        return row

    def remove(self, model_id: int, asset_id: str, caller: Caller) -> None:
        model = hold_model(self._session, model_id, caller)
        statement = delete(tables.ModelAsset).where(*_is_use(model.id, asset_id))
        if not self._session.execute(statement.returning(tables.ModelAsset.id)).all():
            raise _missing(model_id, asset_id)

    def remove_everywhere(self, asset_id: str, caller: Caller) -> None:
        gone = self._session.execute(
            delete(tables.ModelAsset).where(*_uses_seen(asset_id, caller)).returning(tables.ModelAsset.id)
        ).all()
        if not gone:
            raise NotFound(f'There is no asset "{asset_id}".')

    def _search(self, *conditions: ColumnElement[bool]) -> Sequence[AnyRow]:
        asset = tables.ModelAsset
        query = select(asset.id, asset.asset_id, asset.model_id).where(*conditions).order_by(asset.id)
        return self._session.execute(query).all()


def _is_use(model_id: int, asset_id: str) -> list[ColumnElement[bool]]:
    return [tables.ModelAsset.model_id == model_id, tables.ModelAsset.asset_id == asset_id]


def _uses_seen(asset_id: str, caller: Caller) -> list[ColumnElement[bool]]:
    seen = select(tables.Model.id).where(caller.sees(tables.Model.group_id))
    return [tables.ModelAsset.asset_id == asset_id, tables.ModelAsset.model_id.in_(seen)]


def _missing(model_id: int, asset_id: str) -> NotFound:
    return NotFound(f'Model {model_id} has no asset "{asset_id}".')


def _taken(model_id: int) -> Conflict:
    return Conflict(f"Model {model_id} has this asset already.")


Assets = Annotated[AssetRepository, repository(AssetRepository)]
router = Router(tags=["Assets"])
_IS_THERE: dict[int | str, Any] = {409: {"description": "The model has this asset already."}}


@router.post("/models/{model_id}/assets", status_code=201, responses=_IS_THERE)
def create_model_asset(caller: User, assets: Assets, model_id: Id, given: ModelAssetIn) -> ModelAssetOut:
    """Associate an asset with a model."""
    return ModelAssetOut.model_validate(assets.add(model_id, given, caller))


@router.get("/models/{model_id}/assets")
def list_model_assets(caller: User, assets: Assets, model_id: Id) -> list[ModelAssetOut]:
    """The assets of a model, in the order they were added."""
    return [ModelAssetOut.model_validate(row) for row in assets.of_model(model_id, caller)]


@router.get("/models/{model_id}/assets/{asset_id:path}")
def get_model_asset(caller: User, assets: Assets, model_id: Id, asset_id: AssetId) -> ModelAssetOut:
    """One asset of a model."""
    return ModelAssetOut.model_validate(assets.get(model_id, asset_id, caller))


@router.put("/models/{model_id}/assets/{asset_id:path}", responses=_IS_THERE)
def update_model_asset(
    caller: User, assets: Assets, model_id: Id, asset_id: AssetId, given: ModelAssetIn
) -> ModelAssetOut:
    """Replace an asset of a model by another."""
    return ModelAssetOut.model_validate(assets.change(model_id, asset_id, given, caller))


@router.delete("/models/{model_id}/assets/{asset_id:path}", status_code=204)
def delete_model_asset(caller: User, assets: Assets, model_id: Id, asset_id: AssetId) -> Response:
    """Remove an asset from a model."""
    assets.remove(model_id, asset_id, caller)
    return Response(status_code=204)


@router.get("/assets/{asset_id:path}")
def list_asset_models(caller: User, assets: Assets, asset_id: AssetId) -> list[ModelAssetOut]:
    """The caller's models that an asset is associated with."""
    return [ModelAssetOut.model_validate(row) for row in assets.uses(asset_id, caller)]


@router.delete("/assets/{asset_id:path}", status_code=204)
def delete_asset(caller: User, assets: Assets, asset_id: AssetId) -> Response:
    """Remove an asset from all of the caller's models that have it."""
    assets.remove_everywhere(asset_id, caller)
    return Response(status_code=204)
