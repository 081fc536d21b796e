"""The model that something belongs to: whoever may not see it learns nothing of what it has."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.errors import NotFound


def get_model(session: Session, model_id: int, caller: Caller) -> tables.Model:
    """The model, if the caller sees it; NotFound if not."""
    return _only(session, _visible(model_id, caller), model_id)


def hold_model(session: Session, model_id: int, caller: Caller) -> tables.Model:
    """The same, locked: until the transaction ends nobody else changes the model or what is held by it."""
    # Runs that are started meanwhile point at the model and may: its key does not change.
    return _only(session, _visible(model_id, caller).with_for_update(key_share=True), model_id)


def _visible(model_id: int, caller: Caller) -> Select[tables.Model]:
    return select(tables.Model).where(tables.Model.id == model_id, caller.sees(tables.Model.group_id))


def _only(session: Session, query: Select[tables.Model], model_id: int) -> tables.Model:
    model = session.scalar(query)
    if model is None:
        raise NotFound(f"There is no model {model_id}.")
    return model
