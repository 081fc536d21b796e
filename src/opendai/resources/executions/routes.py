"""Starting, following and aborting executions, as DAI 6.5 to 7.5 publish it."""

from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy import Select, select

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.errors import NotFound
from opendai.parts import SessionDep
from opendai.resources.executions.endings import request_abort
from opendai.resources.executions.starting import ExecutionIn
from opendai.resources.executions.starting import start_execution as start
from opendai.resources.runs.states import wire_status
from opendai.wire.inputs import Output, Timestamp
from opendai.wire.routing import Router


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


router = Router(tags=["Execution"])
# Where a client of 2021 asks how far an execution is.
status_router = Router(tags=["Execution"])


@router.post(
    "/executions",
    status_code=201,
    responses={402: {"description": "The licenses allow no more executions at a time."}},
)
def start_execution(caller: User, session: SessionDep, given: ExecutionIn) -> StartedOut:
    """Queue a run. Without an agent the server generates the path itself and touches nothing."""
    return StartedOut(**_ids(start(session, given, caller)))


@status_router.get("/executions/{execution_id}")
@router.get("/executions/{execution_id}")
def get_execution(caller: User, session: SessionDep, execution_id: UUID) -> ExecutionOut:
    """How far an execution is."""
    run = session.scalars(_runs_of(execution_id, caller).order_by(tables.Run.id).limit(1)).one_or_none()
    if run is None:
        raise NotFound(f"There is no execution {execution_id}.")
    return ExecutionOut(
        **_ids(run),
        is_running=run.status == "RUNNING",
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


@router.delete("/executions/{execution_id}", status_code=204)
def abort_execution(caller: User, session: SessionDep, execution_id: UUID) -> Response:
    """Abort an execution; its agent hears of it with its next report. Doing so again changes nothing."""
    if session.scalar(_runs_of(execution_id, caller).limit(1)) is None:
        raise NotFound(f"There is no execution {execution_id}.")
    request_abort(session, str(execution_id))
    return Response(status_code=204)


def _runs_of(execution_id: UUID, caller: Caller) -> Select[tables.Run]:
    run = tables.Run
    return select(run).where(run.execution_id == str(execution_id), caller.sees(run.group_id))


def _ids(run: tables.Run) -> dict[str, Any]:
    return {
        "id": run.execution_id,
        "execution_id": run.execution_id,
        "execution_status_id": run.execution_id,
        "task_instance_id": run.execution_id,
        "run_id": run.id,
        "status": wire_status(run.status),
    }
