"""The agents' side of executions: register, claim, report, finish. docs/agents.md tells the whole protocol."""

import json
import time
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import anyio
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import AgentClient, Caller
from opendai.database import Database, database_clock
from opendai.errors import Conflict, NotFound
from opendai.parts import DatabaseDep, SessionDep, parts_of
from opendai.resources.executions.claims import Claim, claim_run, waits_for
from opendai.resources.executions.reporting import (
    Attempt,
    EventsIn,
    FinishIn,
    finish_once,
    hold,
    record_events,
    renew,
)
from opendai.wire.inputs import Id, Input, Line, Output
from opendai.wire.routing import Router

_PAUSE_SECONDS = 0.25


class RegistrationIn(Input):
    version: Line = ""
    drivers: Annotated[list[Line], Field(max_length=50)] = []


class RegistrationOut(Output):
    agent_id: int
    name: str
    lease_seconds: int


class ClaimIn(Input):
    wait_seconds: Annotated[float, Field(ge=0, le=30)] = 20.0
    claim_key: UUID | None = None


class HeartbeatIn(Input):
    attempt: Attempt


class HeldOut(Output):
    last: int
    abort: bool
    lease_seconds: int


class FinishedOut(Output):
    status: str


class ModelOut(Output):
    name: str
    modelId: str  # noqa: N815 - as the published test cases spell it
    hierarchyid: int
    modeljson: str


class PlanOut(Output):
    kind: str
    seed: int
    step_limit: int
    target_coverage: float | None
    test_case: str | None


class ClaimOut(Output):
    run_id: int
    attempt: int
    execution_id: str
    lease_seconds: int
    model: ModelOut
    plan: PlanOut
    hits: list[tuple[str, str, int]]
    step_pause_seconds: float
    asset: dict[str, Any] | None
    sut: dict[str, Any] | None


router = Router(tags=["Agents"])
_NOT_REGISTERED: dict[int | str, Any] = {404: {"description": "The caller is not registered as an agent."}}
_NOT_HELD: dict[int | str, Any] = {
    409: {
        "description": "The attempt is not the caller's or has ended, or events are missing: nothing changed."
    }
}


@router.post("/agents", responses={409: {"description": "The agent belongs to another API client."}})
def register_agent(
    caller: AgentClient, session: SessionDep, request: Request, given: RegistrationIn
) -> RegistrationOut:
    """Make the caller known as an agent under its client's name."""
    agent = session.scalar(_OF_CLIENT, {"client_id": caller.id})
    if agent is None:
        agent = session.scalar(select(tables.Agent).where(tables.Agent.name == caller.name).with_for_update())
    if agent is None:
        agent = _new_agent(caller)
        session.add(agent)
    elif agent.client_id not in {None, caller.id}:
        raise Conflict(f'The agent "{caller.name}" belongs to another API client.')
    agent.client_id = caller.id
    lease_seconds = parts_of(request).settings.lease_seconds
    _stay_connected(agent, lease_seconds)
    session.flush()
    return RegistrationOut(agent_id=agent.id, name=agent.name, lease_seconds=lease_seconds)


@router.post("/agents/disconnect", responses=_NOT_REGISTERED)
def disconnect_agent(caller: AgentClient, session: SessionDep) -> dict[str, Any]:
    """Say goodbye. Leases are not ended by it."""
    _agent_of(session, caller).connected_until = 0.0
    return {}


@router.post(
    "/claims",
    response_model=ClaimOut,
    responses={204: {"description": "Nothing to do yet"}, **_NOT_REGISTERED},
)
async def claim(caller: AgentClient, database: DatabaseDep, request: Request, given: ClaimIn) -> Any:
    """Wait for a run and take it; 204 when none came in time. Waiting costs no thread."""
    lease_seconds = parts_of(request).settings.lease_seconds
    deadline = time.monotonic() + given.wait_seconds
    claim_key = str(given.claim_key) if given.claim_key else None
    while True:
        taken = await database.write(
            partial(
                _claim,
                caller=caller,
                claim_key=claim_key,
                lease_seconds=lease_seconds,
                wait_seconds=given.wait_seconds,
            )
        )
        if taken is not None:
            return taken
        while not await run_in_threadpool(_is_waited_for, database, caller):
            if time.monotonic() + _PAUSE_SECONDS > deadline:
                return Response(status_code=204)
            await anyio.sleep(_PAUSE_SECONDS)
            # What is claimed for a caller who has gone would wait for its lease to end.
            if parts_of(request).closing.is_set() or await request.is_disconnected():
                return Response(status_code=204)


@router.post("/runs/{run_id}/events", responses=_NOT_HELD)
def report_events(
    caller: AgentClient, session: SessionDep, request: Request, run_id: Id, given: EventsIn
) -> HeldOut:
    """Report numbered events; what the server has already is skipped."""
    agent = _agent_of(session, caller)
    run = hold(session, run_id, agent.id, given.attempt)
    record_events(session, run, given.first, given.events)
    return _held(session, request, agent, run)


@router.post("/runs/{run_id}/heartbeat", responses=_NOT_HELD)
def report_heartbeat(
    caller: AgentClient, session: SessionDep, request: Request, run_id: Id, given: HeartbeatIn
) -> HeldOut:
    """Keep the lease while a step takes long."""
    agent = _agent_of(session, caller)
    return _held(session, request, agent, hold(session, run_id, agent.id, given.attempt))


@router.post("/runs/{run_id}/finish", responses=_NOT_HELD)
def finish_run(caller: AgentClient, session: SessionDep, run_id: Id, given: FinishIn) -> FinishedOut:
    """End a run. Doing so again answers the same."""
    agent = _agent_of(session, caller)
    return FinishedOut(status=finish_once(session, run_id, agent.id, given))


def _claim(
    session: Session, *, caller: Caller, claim_key: str | None, lease_seconds: int, wait_seconds: float
) -> ClaimOut | None:
    agent = _agent_of(session, caller)
    _stay_connected(agent, lease_seconds + wait_seconds)
    taken = claim_run(session, agent, lease_seconds=lease_seconds, claim_key=claim_key)
    return _out(taken, lease_seconds) if taken else None


def _is_waited_for(database: Database, caller: Caller) -> bool:
    with database.reading() as session:
        return (
            session.scalar(select(tables.Run.id).where(waits_for(_agent_of(session, caller))).limit(1))
            is not None
        )


def _held(session: Session, request: Request, agent: tables.Agent, run: tables.Run) -> HeldOut:
    lease_seconds = parts_of(request).settings.lease_seconds
    renew(run, lease_seconds=lease_seconds)
    _stay_connected(agent, lease_seconds)
    return HeldOut(last=run.last_event, abort=run.is_abort_requested, lease_seconds=lease_seconds)


def _out(taken: Claim, lease_seconds: int) -> ClaimOut:
    run = taken.run
    return ClaimOut(
        run_id=run.id,
        attempt=run.attempt,
        execution_id=run.execution_id,
        lease_seconds=lease_seconds,
        model=ModelOut(
            name=run.model_name,
            modelId=taken.model_uuid,
            hierarchyid=run.version_id,
            modeljson=taken.modeljson,
        ),
        plan=PlanOut(
            kind=run.generator,
            seed=run.seed,
            step_limit=run.step_limit,
            target_coverage=run.target_coverage,
            test_case=run.test_case_text,
        ),
        hits=taken.hits,
        step_pause_seconds=run.step_pause_seconds,
        asset=json.loads(run.asset) if run.asset else None,
        sut=json.loads(run.sut) if run.sut else None,
    )


# Asked with every report, and built once: to build it takes as long as to ask.
_OF_CLIENT = select(tables.Agent).where(tables.Agent.client_id == bindparam("client_id"))


def _agent_of(session: Session, caller: Caller) -> tables.Agent:
    agent = session.scalar(_OF_CLIENT, {"client_id": caller.id})
    if agent is None:
        raise NotFound("This client is not registered as an agent: POST /agents first.")
    return agent


def _stay_connected(agent: tables.Agent, seconds: float) -> None:
    agent.connected_until = database_clock() + seconds


def _new_agent(caller: Caller) -> tables.Agent:
    return tables.Agent(
        name=caller.name,
        record_path="",
        suite="",
        agent_type="RUN",
        epp_host="",
        epp_test_controller_port=123,
        epp_analyzer_port=123,
        epp_workspace_path="",
        is_hosted=False,
        is_marked_connected=False,
    )
