"""Test config tasks as `/ai` words them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BeforeValidator

from opendai.reports.tasks import Surroundings, TaskMessage, TaskRun, task_status
from opendai.resources.runs.states import (
    CANCELLED,
    ERROR,
    FAILED,
    INCOMPLETE,
    PASSED,
    PublishedState,
    wire_status,
)
from opendai.resources.test_configs.tasks.pages import TEST_CONFIG_ID, TaskFilters
from opendai.resources.test_configs.tasks.repository import TaskRow
from opendai.tables import Execution
from opendai.wire.inputs import Input, Limit, Offset, Output, Search, Timestamp, Whole
from opendai.wire.sorting import Column

SORTABLE: Mapping[str, Column] = {
    "created_datetime": Execution.created_at,
    "runstatus": task_status(),
    "test_config_id": TEST_CONFIG_ID,
    "task_instance_id": Execution.id,
    "updated_datetime": Execution.updated_at,
}


def _in_capitals(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


Status = Annotated[PublishedState, BeforeValidator(_in_capitals)]


class TaskQuery(Input):
    """The parameters of a list of tasks. A filter without a value does not restrict."""

    test_config_id: Search | None = None
    offset: Offset = 0
    limit: Limit = 1000
    sort: Search | None = None
    limit_per_test_config: Annotated[Whole, Query(ge=1, le=1000)] | None = None

    @property
    def filters(self) -> TaskFilters:
        return TaskFilters(
            test_config_id=self.test_config_id.lower() if self.test_config_id else None,
            newest_per_test_config=self.limit_per_test_config,
        )


class TaskIn(Input):
    """A task that ran elsewhere. The server sets its times, and its id if none is sent."""

    runstatus: Status
    test_config_id: UUID | None = None
    task_instance_id: UUID | None = None


class TaskPatch(Input):
    """The status of a task; the other published fields are ignored."""

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
    """Names are separated by commas; a list without names is null."""

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


def task_out(task: TaskRow) -> TaskOut:
    return TaskOut(**_fields(task))


def task_details_out(task: TaskRow, messages: Iterable[TaskMessage]) -> TaskDetailsOut:
    words = [TaskMessageOut.model_validate(message) for message in messages]
    return TaskDetailsOut(**_fields(task), messages=words)


def task_extended_out(task: TaskRow, around: Surroundings) -> TaskExtendedOut:
    return TaskExtendedOut(
        **_fields(task),
        suts=_listed(around.suts),
        test_config_name=None,
        agents=_listed(around.agents),
        model_name=_listed(around.models),
    )


def task_summary_out(runs: Sequence[TaskRun], around: Surroundings) -> TaskSummaryOut:
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
        sut_used=_listed(around.suts),
    )


def _fields(task: TaskRow) -> dict[str, Any]:
    return {
        "created_datetime": task.created_at,
        "runstatus": task.status,
        "test_config_id": task.test_config_id,
        "task_instance_id": task.id,
        "updated_datetime": task.updated_at,
    }


def _step(run: TaskRun) -> tuple[str, int]:
    return ("run", run.id) if run.step is None else ("step", run.step)


def _listed(names: Iterable[str]) -> str | None:
    return ", ".join(names) or None
