"""Executions as they are read: each by its first run."""

from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.database import AnyRow
from opendai.errors import NotFound

_run = tables.Run
# Built once, because clients ask again and again until an execution has ended.
_FIRST_RUN = (
    select(
        _run.id,
        _run.execution_id,
        _run.group_id,
        _run.status,
        _run.model_name,
        _run.generator,
        _run.seed,
        _run.test_case_name,
        _run.attempt,
        _run.steps,
        _run.coverage,
        _run.reason,
        _run.is_abort_requested,
        _run.created_at,
        _run.started_at,
        _run.ended_at,
    )
    .where(_run.execution_id == bindparam("execution"))
    .order_by(_run.id)
    .limit(1)
)


class ExecutionRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get_run(self, execution_id: UUID, caller: Caller) -> AnyRow:
        """The first run of an execution in a group of the caller."""
        found = self._session.connection().execute(_FIRST_RUN, {"execution": str(execution_id)}).first()
        # All runs of an execution are in one group, which is the group of its model.
        if found is None or not caller.is_in(found.group_id):
            raise NotFound(f"There is no execution {execution_id}.")
        return found
