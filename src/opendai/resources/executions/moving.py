"""A model that goes to another group takes along what its walks left, as its history is seen by those who see it."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from opendai import tables


def move_history(session: Session, model: tables.Model, group_id: int) -> None:
    """Give a model's runs, their counts, their executions and errors to another group.

    The model's row must be locked: whoever starts a run of it waits for the lock, and counts it there.
    """
    runs = select(tables.Run.id).where(tables.Run.model_id == model.id)
    for table, is_of_model in (
        # First the runs: one that is just ending is counted by whoever ends it before it can be moved.
        (tables.Run, tables.Run.model_id == model.id),
        (tables.Execution, tables.Execution.model_id == model.id),
        (tables.ErrorEntry, tables.ErrorEntry.run_id.in_(runs)),
        (tables.RunCount, tables.RunCount.model_id == model.id),
    ):
        session.execute(
            update(table)
            .where(is_of_model)
            .values(group_id=group_id)
            .execution_options(synchronize_session=False)
        )
