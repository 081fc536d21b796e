"""The rows of test config tasks."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai.auth.callers import Caller
from opendai.errors import Fault, Invalid, NotFound
from opendai.parts import repository
from opendai.reports.tasks import task_status
from opendai.resources.test_configs.tasks.pages import TaskFilters, find_task_ids, sees_task
from opendai.tables import Execution
from opendai.tables.columns import now
from opendai.wire.sorting import Column


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task with its published status."""

    id: str
    test_config_id: str | None
    status: str
    created_at: datetime
    updated_at: datetime


_TASKS = select(
    Execution.id,
    Execution.test_config_id,
    task_status(),
    Execution.created_at,
    Execution.updated_at,
)


class TaskRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, task_id: str, caller: Caller) -> TaskRow:
        row = self._session.execute(_TASKS.where(Execution.id == task_id, sees_task(caller))).one_or_none()
        if row is None:
            raise _not_there(task_id)
        return TaskRow(*row)

    def search(
        self,
        caller: Caller,
        filters: TaskFilters,
        *,
        sort: str | None,
        columns: Mapping[str, Column],
        offset: int,
        limit: int,
    ) -> Sequence[TaskRow]:
        ids = find_task_ids(
            self._session, caller, filters, sort=sort, columns=columns, offset=offset, limit=limit
        )
        rows = self._session.execute(_TASKS.where(Execution.id.in_(ids)))
        found = {row.id: TaskRow(*row) for row in rows}
        return [found[task_id] for task_id in ids if task_id in found]

    def add(self, caller: Caller, *, task_id: str | None, test_config_id: str | None, status: str) -> TaskRow:
        """Record a task that ran elsewhere; without an id the task gets a new one."""
        task = Execution(
            id=task_id or str(uuid.uuid4()),
            test_config_id=test_config_id,
            started_by=caller.name,
            owner_id=caller.id if caller.kind == "user" else None,
            own_status=status,
        )
        self._session.add(task)
        try:
            self._session.flush()
        except IntegrityError as error:
            fault = Fault("task_instance_id", "is the id of another task")
            raise Invalid("The task instance id is taken.", faults=[fault]) from error
        return self.get(task.id, caller)

    def set_status(self, task_id: str, status: str, caller: Caller) -> TaskRow:
        task = self._session.scalar(
            select(Execution).where(Execution.id == task_id, sees_task(caller)).with_for_update()
        )
        if task is None:
            raise _not_there(task_id)
        task.own_status = status
        task.updated_at = now()
        self._session.flush()
        return self.get(task_id, caller)


def _not_there(task_id: str) -> NotFound:
    return NotFound(f"There is no test config task {task_id}.")


Tasks = Annotated[TaskRepository, repository(TaskRepository)]
