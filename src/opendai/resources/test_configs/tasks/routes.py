"""Test config tasks under `/ai`: executions as DAI 5.2 publishes them, and records of those that ran elsewhere."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Query

from opendai.auth.callers import Caller, User
from opendai.parts import SessionDep
from opendai.reports.tasks import task_messages, task_runs, task_surroundings
from opendai.resources.test_configs.tasks.repository import TaskRow, Tasks
from opendai.resources.test_configs.tasks.schemas import (
    SORTABLE,
    TaskDetailsOut,
    TaskExtendedOut,
    TaskIn,
    TaskOut,
    TaskPatch,
    TaskQuery,
    TaskSummaryOut,
    task_details_out,
    task_extended_out,
    task_out,
    task_summary_out,
)
from opendai.wire.routing import Router

router = Router(tags=["Test config tasks"])


@router.post("/testconfigtasks")
def create_testconfigtask(caller: User, tasks: Tasks, given: TaskIn) -> TaskOut:
    """Record a task that ran elsewhere. Only the caller and administrators see it."""
    task = tasks.add(
        caller,
        task_id=str(given.task_instance_id) if given.task_instance_id else None,
        test_config_id=str(given.test_config_id) if given.test_config_id else None,
        status=given.runstatus,
    )
    return task_out(task)


@router.get("/testconfigtasks")
def list_testconfigtasks(caller: User, tasks: Tasks, query: Annotated[TaskQuery, Query()]) -> list[TaskOut]:
    """The tasks of the caller's groups and the caller's own, the newest first unless another order is asked for.

    `limit_per_test_config` leaves out all but the newest of each test configuration.
    """
    return [task_out(task) for task in _search(tasks, caller, query)]


@router.get("/testconfigtasks/{id}")
def get_testconfigtask(caller: User, tasks: Tasks, id: UUID) -> TaskOut:
    """One task. Its status follows from its runs unless a client has set it."""
    return task_out(tasks.get(str(id), caller))


@router.put("/testconfigtasks/{id}")
def update_testconfigtask(caller: User, tasks: Tasks, id: UUID, given: TaskPatch) -> TaskOut:
    """Set the status of a task. Its runs do not change."""
    return task_out(tasks.set_status(str(id), given.runstatus, caller))


@router.get("/testconfigtasks/{id}/details")
def get_testconfigtask_details(caller: User, tasks: Tasks, session: SessionDep, id: UUID) -> TaskDetailsOut:
    """One task with its errors and the warnings in the logs of its runs, by time."""
    task = tasks.get(str(id), caller)
    return task_details_out(task, task_messages(session, task.id))


@router.get("/testconfigtasks/{id}/summary")
def get_testconfigtask_summary(caller: User, tasks: Tasks, session: SessionDep, id: UUID) -> TaskSummaryOut:
    """How the runs of one task ended, and how long they took together in seconds."""
    task = tasks.get(str(id), caller)
    return task_summary_out(task_runs(session, task.id), task_surroundings(session, [task.id])[task.id])


@router.get("/testconfigtasks_extended")
def list_testconfigtasks_extended(
    caller: User, tasks: Tasks, session: SessionDep, query: Annotated[TaskQuery, Query()]
) -> list[TaskExtendedOut]:
    """The tasks of the plain list, each with the systems, agents and models of its runs."""
    found = _search(tasks, caller, query)
    around = task_surroundings(session, [task.id for task in found])
    return [task_extended_out(task, around[task.id]) for task in found]


def _search(tasks: Tasks, caller: Caller, query: TaskQuery) -> Sequence[TaskRow]:
    return tasks.search(
        caller, query.filters, sort=query.sort, columns=SORTABLE, offset=query.offset, limit=query.limit
    )
