"""The operations on executions: starting, following and aborting them, as DAI 6.5 to 7.5 publish them."""

from typing import Annotated
from uuid import UUID

from fastapi import Response

from opendai.auth.callers import User
from opendai.parts import SessionDep, repository
from opendai.resources.executions.endings import request_abort
from opendai.resources.executions.repository import ExecutionRepository
from opendai.resources.executions.schemas import (
    ExecutionIn,
    ExecutionOut,
    StartedOut,
    word_execution,
    word_started,
)
from opendai.resources.executions.starting import queue_run
from opendai.wire.routing import Router

Executions = Annotated[ExecutionRepository, repository(ExecutionRepository)]
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
    return word_started(queue_run(session, given, caller))


@status_router.get("/executions/{execution_id}")
@router.get("/executions/{execution_id}")
def get_execution(caller: User, executions: Executions, execution_id: UUID) -> ExecutionOut:
    """How far an execution is."""
    return word_execution(executions.get_run(execution_id, caller))


@router.delete("/executions/{execution_id}", status_code=204)
def abort_execution(
    caller: User, executions: Executions, session: SessionDep, execution_id: UUID
) -> Response:
    """Abort an execution; its agent is told with its next report. The same request again changes nothing."""
    run = executions.get_run(execution_id, caller)
    request_abort(session, run.execution_id)
    return Response(status_code=204)
