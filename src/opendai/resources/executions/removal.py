"""Deleting a run: what it left goes with it, and what was counted of it is taken back."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.errors import NotFound
from opendai.parts import SessionDep
from opendai.resources.executions.counting import count_runs, kind_of
from opendai.resources.executions.rows import LOCKED_RUNS, RunRow, read_runs
from opendai.resources.executions.totals import take_from_totals
from opendai.resources.runs.screenshots.objects import doom_objects
from opendai.resources.runs.states import UNFINISHED
from opendai.wire.inputs import Id
from opendai.wire.routing import Router

_LOCKED = LOCKED_RUNS.where(tables.Run.id == bindparam("of_run"))
router = Router(tags=["Runs"])


@router.delete("/runs/{id}")
def delete_run(caller: User, session: SessionDep, id: Id) -> dict[str, Any]:
    """Delete a run with its timings, log and screenshots. An agent that still walks it is told to drop it."""
    remove_run(session, id, caller)
    return {}


def remove_run(session: Session, run_id: int, caller: Caller) -> None:
    """Delete the run, and its execution if that has no other; NotFound if the caller sees no such run."""
    connection = session.connection()
    # From this lock on the run's agent waits, and then finds no run to report on.
    runs = read_runs(connection, _LOCKED.where(caller.sees(tables.Run.group_id)), {"of_run": run_id})
    if not runs:
        raise NotFound(f"There is no run {run_id}.")
    run = runs[0]
    if run.status not in UNFINISHED:
        take_from_totals(connection, run)
    doom_objects(session, tables.Run.id == run.id)
    _delete_with_execution(connection, run)
    count_runs(connection, Counter({kind_of(run): -1}))


def _delete_with_execution(connection: Connection, run: RunRow) -> None:
    execution, other = tables.Execution, tables.Run
    # If two requests delete the last two runs, the second one must see the deletion of the first.
    connection.execute(select(execution.id).where(execution.id == run.execution_id).with_for_update())
    connection.execute(delete(other).where(other.id == run.id))
    has_another = select(other.id).where(other.execution_id == run.execution_id).limit(1)
    if connection.scalar(has_another) is None:
        connection.execute(delete(execution).where(execution.id == run.execution_id))
