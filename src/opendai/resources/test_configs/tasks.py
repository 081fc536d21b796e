"""Test config tasks: executions as DAI 5.2 publishes them, and the record of those that ran elsewhere."""

import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BeforeValidator
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.errors import Fault, Invalid, NotFound
from opendai.parts import SessionDep, repository
from opendai.reports.tasks import TaskRun, task_messages, task_runs, task_status, task_surroundings
from opendai.resources.runs.states import CANCELLED, ERROR, FAILED, INCOMPLETE, PASSED, wire_status
from opendai.resources.test_configs.task_pages import TaskQuery, find_task_ids, sees_task
from opendai.tables.columns import now
from opendai.wire.inputs import Input, Output, Timestamp
from opendai.wire.routing import Router


def _in_capitals(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


Status = Annotated[
    Literal["INCOMPLETE", "PASSED", "FAILED", "ERROR", "CANCELLED"], BeforeValidator(_in_capitals)
]


class TaskIn(Input):
    """A task that ran elsewhere. Its times are the server's, whatever is sent; without an id it is given one."""

    runstatus: Status
    test_config_id: UUID | None = None
    task_instance_id: UUID | None = None


class TaskPatch(Input):
    """What can be said of a task; the other published fields are ignored."""

    runstatus: Status


class TaskOut(Output):
    created_datetime: Timestamp
    runstatus: str
    test_config_id: str | None
    task_instance_id: str
    updated_datetime: Timestamp


class TaskMessageOut(Output):
    """An error, or a warning in a run's log."""

    time: Timestamp
    severity: str
    message: str
    run_id: int | None


class TaskDetailsOut(TaskOut):
    messages: list[TaskMessageOut]


class TaskExtendedOut(TaskOut):
    """Names are listed with commas; what there is none of is null."""

    suts: str | None
    test_config_name: str | None
    agents: str | None
    model_name: str | None


class TaskSummaryOut(Output):
    """Counts of this task's runs. A run that is no step of a test configuration counts as a step of its own."""

    total_steps_in_test_config: int
    test_config_total_runs_complete: int
    test_config_total_runs_passes: int
    test_config_total_runs_failures: int
    test_config_total_runs_incomplete: int
    test_config_total_runs_cancelled: int
    test_config_total_runs_in_error: int
    total_execution_time_secs: float
    task_instance_steps_completed: int
    sut_used: str | None


class TaskRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, task_id: UUID, caller: Caller) -> TaskOut:
        execution = tables.Execution
        row = self._session.execute(
            _tasks().where(execution.id == str(task_id), sees_task(caller))
        ).one_or_none()
        if row is None:
            raise NotFound(f"There is no test config task {task_id}.")
        return TaskOut.model_validate(row)

    def search(self, caller: Caller, query: TaskQuery) -> list[TaskOut]:
        ids = find_task_ids(self._session, caller, query)
        rows = self._session.execute(_tasks().where(tables.Execution.id.in_(ids)))
        found = {row.task_instance_id: row for row in rows}
        return [TaskOut.model_validate(found[task_id]) for task_id in ids if task_id in found]

    def add(self, given: TaskIn, caller: Caller) -> TaskOut:
        task_id = given.task_instance_id or uuid.uuid4()
        task = tables.Execution(
            id=str(task_id),
            test_config_id=str(given.test_config_id) if given.test_config_id else None,
            started_by=caller.name,
            owner_id=caller.id if caller.kind == "user" else None,
            own_status=given.runstatus,
        )
        self._session.add(task)
        try:
            self._session.flush()
        except IntegrityError as error:
            fault = Fault("task_instance_id", "is the id of another task")
            raise Invalid("The task instance id is taken.", faults=[fault]) from error
        return self.get(task_id, caller)

    def change(self, task_id: UUID, given: TaskPatch, caller: Caller) -> TaskOut:
        task = self._session.scalar(
            select(tables.Execution)
            .where(tables.Execution.id == str(task_id), sees_task(caller))
            .with_for_update()
        )
        if task is None:
            raise NotFound(f"There is no test config task {task_id}.")
        task.own_status = given.runstatus
        task.updated_at = now()
        self._session.flush()
        return self.get(task_id, caller)


def _tasks() -> Any:
    execution = tables.Execution
    return select(
        execution.created_at.label("created_datetime"),
        task_status().label("runstatus"),
        execution.test_config_id,
        execution.id.label("task_instance_id"),
        execution.updated_at.label("updated_datetime"),
    )


Tasks = Annotated[TaskRepository, repository(TaskRepository)]
router = Router(tags=["Test config tasks"])


@router.post("/testconfigtasks")
def create_testconfigtask(caller: User, tasks: Tasks, given: TaskIn) -> TaskOut:
    """Write down a task that ran elsewhere. Only the caller and administrators see it."""
    return tasks.add(given, caller)


@router.get("/testconfigtasks")
def list_testconfigtasks(caller: User, tasks: Tasks, query: Annotated[TaskQuery, Query()]) -> list[TaskOut]:
    """The tasks of the caller's groups and the caller's own, the newest first unless another order is asked for.

    `limit_per_test_config` leaves out all but the newest of each test configuration.
    """
    return tasks.search(caller, query)


@router.get("/testconfigtasks/{id}")
def get_testconfigtask(caller: User, tasks: Tasks, id: UUID) -> TaskOut:
    """One task. Its status follows from its runs unless somebody has set it."""
    return tasks.get(id, caller)


@router.put("/testconfigtasks/{id}")
def update_testconfigtask(caller: User, tasks: Tasks, id: UUID, given: TaskPatch) -> TaskOut:
    """Set the status of a task; its runs go on as they were."""
    return tasks.change(id, given, caller)


@router.get("/testconfigtasks/{id}/details")
def get_testconfigtask_details(caller: User, tasks: Tasks, session: SessionDep, id: UUID) -> TaskDetailsOut:
    """One task with its errors and the warnings in the logs of its runs, by time."""
    task = tasks.get(id, caller)
    messages = [TaskMessageOut.model_validate(message) for message in task_messages(session, str(id))]
    return TaskDetailsOut(**task.model_dump(), messages=messages)


@router.get("/testconfigtasks/{id}/summary")
def get_testconfigtask_summary(caller: User, tasks: Tasks, session: SessionDep, id: UUID) -> TaskSummaryOut:
    """How the runs of one task ended, and how long they took together in seconds."""
    tasks.get(id, caller)
    suts = task_surroundings(session, [str(id)])[str(id)].suts
    return _summary(task_runs(session, str(id)), _listed(suts))


@router.get("/testconfigtasks_extended")
def list_testconfigtasks_extended(
    caller: User, tasks: Tasks, session: SessionDep, query: Annotated[TaskQuery, Query()]
) -> list[TaskExtendedOut]:
    """The tasks as their plain list has them, with what their runs ran on."""
    found = tasks.search(caller, query)
    around = task_surroundings(session, [task.task_instance_id for task in found])
    return [
        TaskExtendedOut(
            **task.model_dump(),
            suts=_listed(around[task.task_instance_id].suts),
            test_config_name=None,
            agents=_listed(around[task.task_instance_id].agents),
            model_name=_listed(around[task.task_instance_id].models),
        )
        for task in found
    ]


def _summary(runs: list[TaskRun], sut_used: str | None) -> TaskSummaryOut:
    counts = Counter(wire_status(run.status) for run in runs)
    steps = {_step(run) for run in runs}
    open_steps = {_step(run) for run in runs if wire_status(run.status) == INCOMPLETE}
    times = [
        (run.ended_at - run.started_at).total_seconds() for run in runs if run.started_at and run.ended_at
    ]
    return TaskSummaryOut(
        total_steps_in_test_config=len(steps),
        test_config_total_runs_complete=len(runs) - counts[INCOMPLETE],
        test_config_total_runs_passes=counts[PASSED],
        test_config_total_runs_failures=counts[FAILED],
        test_config_total_runs_incomplete=counts[INCOMPLETE],
        test_config_total_runs_cancelled=counts[CANCELLED],
        test_config_total_runs_in_error=counts[ERROR],
        total_execution_time_secs=sum(times),
        task_instance_steps_completed=len(steps - open_steps),
        sut_used=sut_used,
    )


def _step(run: TaskRun) -> tuple[str, int]:
    return ("run", run.id) if run.step is None else ("step", run.step)


def _listed(names: Iterable[str]) -> str | None:
    return ", ".join(names) or None
