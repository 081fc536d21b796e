"""Tags: words that people put on models. The `tags` of a model's document are not among them."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.database import AnyRow
from opendai.errors import Conflict, NotFound
from opendai.parts import repository
from opendai.resources.models.visible import get_model, hold_model
from opendai.wire.inputs import Id, Input, Name, Output, Timestamp
from opendai.wire.routing import Router


class TagIn(Input):
    """Only the tag itself counts: its model is that of the path, and its author is the caller."""

    tag: Name


class TagOut(Output):
    """`model` is the name of the model."""

    id: int
    model_name: str = Field(serialization_alias="model")
    tag: str
    created_at: Timestamp = Field(serialization_alias="created")
    author: str


class TagRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def of_model(self, model_id: int, caller: Caller) -> Sequence[AnyRow]:
        model = get_model(self._session, model_id, caller)
        return self._session.execute(_OF_MODEL, {"model_id": model.id}).all()

    def add(self, model_id: int, given: TagIn, caller: Caller) -> AnyRow:
        model = hold_model(self._session, model_id, caller)
        tag = tables.ModelTag(model_id=model.id, tag=given.tag, author=caller.name)
        self._session.add(tag)
        return self._stored(model, tag)

    def change(self, model_id: int, tag_id: int, given: TagIn, caller: Caller) -> AnyRow:
        model = hold_model(self._session, model_id, caller)
        tag = self._session.scalar(
            select(tables.ModelTag).where(tables.ModelTag.id == tag_id, tables.ModelTag.model_id == model.id)
        )
        if tag is None:
            raise NotFound(f"There is no tag {tag_id} on model {model_id}.")
        tag.tag = given.tag
        return self._stored(model, tag)

    def _stored(self, model: tables.Model, tag: tables.ModelTag) -> AnyRow:
        # Made before: after a failed flush the id of the model is no longer known.
        taken = Conflict(f"Model {model.id} has this tag already.")
        try:
            self._session.flush()
        except IntegrityError as error:
            raise taken from error
        return self._session.execute(_ONE, {"id": tag.id}).one()


_tag, _model = tables.ModelTag, tables.Model
_TAGS = (
    select(_tag.id, _model.name.label("model_name"), _tag.tag, _tag.created_at, _tag.author)
    .join(_model, _model.id == _tag.model_id)
    .order_by(_tag.id)
)
_OF_MODEL = _TAGS.where(_tag.model_id == bindparam("model_id"))
_ONE = _TAGS.where(_tag.id == bindparam("id"))


Tags = Annotated[TagRepository, repository(TagRepository)]
router = Router(tags=["Tags"])
_IS_THERE: dict[int | str, Any] = {409: {"description": "The model has this tag already."}}


@router.post("/models/{model_id}/tags", responses=_IS_THERE)
def create_tag(caller: User, tags: Tags, model_id: Id, given: TagIn) -> TagOut:
    """Put a tag on a model. Its author is the caller, whatever the body names."""
    return TagOut.model_validate(tags.add(model_id, given, caller))


@router.get("/models/{model_id}/tags")
def list_tags(caller: User, tags: Tags, model_id: Id) -> list[TagOut]:
    """The tags of a model, in the order they were added."""
    return [TagOut.model_validate(row) for row in tags.of_model(model_id, caller)]


@router.put("/models/{model_id}/tags/{tag_id}", responses=_IS_THERE)
def update_tag(caller: User, tags: Tags, model_id: Id, tag_id: Id, given: TagIn) -> TagOut:
    """Change the word of a tag; its author stays."""
    return TagOut.model_validate(tags.change(model_id, tag_id, given, caller))
