"""Tags: words that people put on models. What a model's document lists as `tags` is its own and not shown here."""

from typing import Annotated, Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.errors import Conflict, NotFound
from opendai.parts import repository
from opendai.resources.models.visible import get_model, hold_model
from opendai.wire.inputs import Id, Input, Name, Output, Timestamp
from opendai.wire.routing import Router


class TagIn(Input):
    """Only the tag itself counts: its model is the path's, and its author is whoever adds it."""

    tag: Name


class TagOut(Output):
    """`model` is the name of the model."""

    id: int
    model: str
    tag: str
    created: Timestamp
    author: str


class TagRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def of_model(self, model_id: int, caller: Caller) -> list[TagOut]:
        model = get_model(self._session, model_id, caller)
        rows = self._session.execute(_tags().where(tables.Model.id == model.id).order_by(tables.ModelTag.id))
        return [TagOut.model_validate(row) for row in rows]

    def add(self, model_id: int, given: TagIn, caller: Caller) -> TagOut:
        model = hold_model(self._session, model_id, caller)
        tag = tables.ModelTag(model_id=model.id, tag=given.tag, author=caller.name)
        self._session.add(tag)
        return self._stored(model, tag)

    def change(self, model_id: int, tag_id: int, given: TagIn, caller: Caller) -> TagOut:
        model = hold_model(self._session, model_id, caller)
        tag = self._session.scalar(
            select(tables.ModelTag).where(tables.ModelTag.id == tag_id, tables.ModelTag.model_id == model.id)
        )
        if tag is None:
            raise NotFound(f"There is no tag {tag_id} on model {model_id}.")
        tag.tag = given.tag
        return self._stored(model, tag)

    def _stored(self, model: tables.Model, tag: tables.ModelTag) -> TagOut:
        taken = Conflict(f"Model {model.id} has this tag already.")  # A failed flush forgets the model.
        try:
            self._session.flush()
        except IntegrityError as error:
            raise taken from error
        return TagOut.model_validate(self._session.execute(_tags().where(tables.ModelTag.id == tag.id)).one())


def _tags() -> Any:
    tag, model = tables.ModelTag, tables.Model
    return select(
        tag.id, model.name.label("model"), tag.tag, tag.created_at.label("created"), tag.author
    ).join(model, model.id == tag.model_id)


Tags = Annotated[TagRepository, repository(TagRepository)]
router = Router(tags=["Tags"])
_IS_THERE: dict[int | str, Any] = {409: {"description": "The model has this tag already."}}


@router.post("/models/{model_id}/tags", responses=_IS_THERE)
def create_tag(caller: User, tags: Tags, model_id: Id, given: TagIn) -> TagOut:
    """Put a tag on a model. Its author is the caller, whatever the body says."""
    return tags.add(model_id, given, caller)


@router.get("/models/{model_id}/tags")
def list_tags(caller: User, tags: Tags, model_id: Id) -> list[TagOut]:
    """The tags of a model, in the order they were added."""
    return tags.of_model(model_id, caller)


@router.put("/models/{model_id}/tags/{tag_id}", responses=_IS_THERE)
def update_tag(caller: User, tags: Tags, model_id: Id, tag_id: Id, given: TagIn) -> TagOut:
    """Change the word of a tag; its author stays."""
    return tags.change(model_id, tag_id, given, caller)
