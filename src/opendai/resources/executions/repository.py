"""Executions as they are read: each by its first run."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.errors import NotFound


class ExecutionRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get_run(self, execution_id: UUID, caller: Caller) -> tables.Run:
        """The first run of an execution in a group of the caller."""
        run = tables.Run
        is_meant = run.execution_id == str(execution_id)
        query = select(run).where(is_meant, caller.sees(run.group_id)).order_by(run.id).limit(1)
        found = self._session.scalars(query).one_or_none()
        if found is None:
            raise NotFound(f"There is no execution {execution_id}.")
        return found
