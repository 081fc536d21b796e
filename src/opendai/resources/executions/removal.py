"""Deleting a run: what it left goes with it, and what was counted of it is taken back."""

from collections import Counter
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.errors import NotFound
from opendai.parts import SessionDep
from opendai.resources.executions.counting import count_runs, kind_of
from opendai.resources.executions.totals import take_from_totals
from opendai.resources.runs.screenshots.objects import doom_objects
from opendai.resources.runs.states import UNFINISHED
from opendai.wire.inputs import Id
from opendai.wire.routing import Router

router = Router(tags=["Runs"])


@router.delete("/runs/{id}")
def delete_run(caller: User, session: SessionDep, id: Id) -> dict[str, Any]:
    """Delete a run with its timings, log and screenshots. An agent that still walks it is told to drop it."""
    remove_run(session, id, caller)
    return {}


def remove_run(session: Session, run_id: int, caller: Caller) -> None:
    """Delete the run, and its execution if that has no other; NotFound if the caller sees no such run."""
    run = session.scalar(
        select(tables.Run)
        .where(tables.Run.id == run_id, caller.sees(tables.Run.group_id))
        # From here on its agent waits, and then finds no run to report on.
        .with_for_update()
    )
    if run is None:
        raise NotFound(f"There is no run {run_id}.")
    if run.status not in UNFINISHED:
        take_from_totals(session, run)
    doom_objects(session, tables.Run.id == run.id)
    _delete_with_execution(session, run)
    count_runs(session, Counter({kind_of(run): -1}))


def _delete_with_execution(session: Session, run: tables.Run) -> None:
    execution, other = tables.Execution, tables.Run
    # If two requests delete the last two runs, the second one must see the deletion of the first.
    session.execute(select(execution.id).where(execution.id == run.execution_id).with_for_update())
    session.execute(delete(other).where(other.id == run.id).execution_options(synchronize_session=False))
    is_last = session.scalar(select(other.id).where(other.execution_id == run.execution_id).limit(1)) is None
    if is_last:
        session.execute(
            delete(execution)
            .where(execution.id == run.execution_id)
            .execution_options(synchronize_session=False)
        )
