"""/models and /models/{model_id}."""

from typing import Annotated, Any

from opendai.auth.callers import User
from opendai.parts import repository
from opendai.resources.models.repository import ModelRepository
from opendai.resources.models.schemas import ModelIn, ModelOut, ModelPatch
from opendai.wire.inputs import Id
from opendai.wire.routing import Router

# A document of 8 MiB as text inside JSON, with its quotes and line ends escaped.
_LARGEST_BODY = 20 << 20
_NAME_IS_TAKEN: dict[int | str, Any] = {409: {"description": "The group has a model of that name already."}}

Models = Annotated[ModelRepository, repository(ModelRepository)]
router = Router(tags=["Models"])


@router.post("/models", max_body_size=_LARGEST_BODY, responses=_NAME_IS_TAKEN)
def create_model(caller: User, models: Models, given: ModelIn) -> ModelOut:
    """Store a model in one of the caller's groups."""
    return ModelOut.model_validate(models.add(given, caller))


@router.get("/models")
def list_models(caller: User, models: Models) -> list[ModelOut]:
    """The models of the caller's groups, by id."""
    return [ModelOut.model_validate(row) for row in models.search(caller)]


@router.get("/models/{model_id}")
def get_model(caller: User, models: Models, model_id: Id) -> ModelOut:
    """One model with its document."""
    return ModelOut.model_validate(models.get(model_id, caller))


@router.put("/models/{model_id}", max_body_size=_LARGEST_BODY, responses=_NAME_IS_TAKEN)
def update_model(caller: User, models: Models, model_id: Id, given: ModelPatch) -> ModelOut:
    """Change a model; a document that differs from the stored one becomes a new version."""
    return ModelOut.model_validate(models.change(model_id, given, caller))


@router.delete("/models/{model_id}")
def delete_model(caller: User, models: Models, model_id: Id) -> dict[str, Any]:
    """Delete a model with its versions, test cases and runs."""
    models.remove(model_id, caller)
    return {}
