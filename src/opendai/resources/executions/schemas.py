"""The bodies about executions, as DAI 6.5 to 7.5 publish them."""

from typing import Any

from opendai import tables
from opendai.resources.runs.states import RUNNING, wire_status
from opendai.wire.inputs import Output, Timestamp


class StartedOut(Output):
    """One id under the names that clients of the several releases read."""

    id: str
    execution_id: str
    execution_status_id: str
    task_instance_id: str
    run_id: int
    status: str


class ExecutionOut(StartedOut):
    """How far an execution is. All fields but the ids and the status are ours."""

    is_running: bool
    model_name: str
    generator: str
    seed: int
    testcase: str | None
    attempt: int
    steps: int
    coverage: float
    reason: str
    is_abort_requested: bool
    created: Timestamp
    started: Timestamp | None
    ended: Timestamp | None


def word_started(run: tables.Run) -> StartedOut:
    return StartedOut(**_ids(run))


def word_execution(run: tables.Run) -> ExecutionOut:
    return ExecutionOut(
        **_ids(run),
        is_running=run.status == RUNNING,
        model_name=run.model_name,
        generator=run.generator,
        seed=run.seed,
        testcase=run.test_case_name,
        attempt=run.attempt,
        steps=run.steps,
        coverage=run.coverage,
        reason=run.reason,
        is_abort_requested=run.is_abort_requested,
        created=run.created_at,
        started=run.started_at,
        ended=run.ended_at,
    )


def _ids(run: tables.Run) -> dict[str, Any]:
    return {
        "id": run.execution_id,
        "execution_id": run.execution_id,
        "execution_status_id": run.execution_id,
        "task_instance_id": run.execution_id,
        "run_id": run.id,
        "status": wire_status(run.status),
    }
