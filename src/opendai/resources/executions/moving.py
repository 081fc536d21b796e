"""The history of a model moves to another group with it. `tables.MOVING` lists the tables that hold the history."""

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import Table


def move_history(session: Session, model: tables.Model, group_id: int) -> None:
    """Give the rows that belong to a model to another group.

    The model's row must be locked: whoever starts a run of it waits for the lock, and counts it there.
    """
    for table in tables.MOVING:
        statement = update(table).where(_is_of_model(table, model)).values(group_id=group_id)
        session.execute(statement.execution_options(synchronize_session=False))


def _is_of_model(table: type[Table], model: tables.Model) -> ColumnElement[bool]:
    columns = table.__table__.c
    if "model_id" in columns:
        is_of_model: ColumnElement[bool] = columns.model_id == model.id
        return is_of_model
    return columns.run_id.in_(select(tables.Run.id).where(tables.Run.model_id == model.id))
