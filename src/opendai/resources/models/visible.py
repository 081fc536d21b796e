"""The model that something belongs to. A caller who must not see it learns nothing of what it has."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.database import AnyRow
from opendai.errors import NotFound

_model = tables.Model.__table__.c
_MODEL = select(_model.id, _model.group_id, _model.agent_id).where(_model.id == bindparam("id"))


def get_model(session: Session, model_id: int, caller: Caller) -> AnyRow:
    """The id, group and agent of a model; NotFound if the caller does not see it."""
    row = session.execute(_MODEL, {"id": model_id}).one_or_none()
    if row is None or not caller.is_in(row.group_id):
        raise missing_model(model_id)
    return row


def hold_model(session: Session, model_id: int, caller: Caller) -> tables.Model:
    """The model, locked until the transaction ends; NotFound if the caller does not see it.

    The lock is for changes of the model and of everything that belongs to it.
    """
    model = session.scalar(
        select(tables.Model)
        .where(tables.Model.id == model_id, caller.sees(tables.Model.group_id))
        # Not for its key: runs that start or end at the same time still point at the row.
        .with_for_update(key_share=True)
    )
    if model is None:
        raise missing_model(model_id)
    return model


def missing_model(model_id: int) -> NotFound:
    return NotFound(f"There is no model {model_id}.")
