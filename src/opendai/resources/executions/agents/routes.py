"""The operations of agents: register, claim, report, finish."""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import Request, Response
from sqlalchemy.orm import Session

from opendai.auth.callers import AgentClient, Caller
from opendai.parts import DatabaseDep, SessionDep, parts_of
from opendai.resources.executions.agents.presence import leave, register, registered_agent, stay_connected
from opendai.resources.executions.agents.schemas import (
    ClaimIn,
    ClaimOut,
    FinishedOut,
    HeartbeatIn,
    HeldOut,
    RegistrationIn,
    RegistrationOut,
    word_claim,
    word_progress,
)
from opendai.resources.executions.claims import claim_run
from opendai.resources.executions.events import EventsIn, FinishIn
from opendai.resources.executions.queue import has_run_for_agent
from opendai.resources.executions.reporting import Held, conclude_run, record_events, renew_run
from opendai.wire.inputs import Id
from opendai.wire.routing import Router

_PAUSE_SECONDS = 0.05
_LONGEST_HOLD_UP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Tried:
    """The outcome of one attempt to claim a run."""

    agent_id: int
    taken: ClaimOut | None = None
    is_held_up: bool = False
    """A run waits, but another transaction has its row, such as that of a model that moves to another group."""


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
    lease_seconds = parts_of(request).settings.lease_seconds
    agent = register(session, caller, connected_seconds=lease_seconds)
    return RegistrationOut(agent_id=agent.id, name=agent.name, lease_seconds=lease_seconds)


@router.post("/agents/disconnect", responses=_NOT_REGISTERED)
def disconnect_agent(caller: AgentClient, session: SessionDep) -> dict[str, Any]:
    """Mark the agent as disconnected. Its leases remain."""
    leave(session, registered_agent(session, caller))
    return {}


@router.post(
    "/claims",
    response_model=ClaimOut,
    responses={204: {"description": "Nothing to do yet"}, **_NOT_REGISTERED},
)
async def claim_work(caller: AgentClient, database: DatabaseDep, request: Request, given: ClaimIn) -> Any:
    """Wait for a run and take it; 204 if none came in time. Waiting takes no thread."""
    parts = parts_of(request)
    deadline = time.monotonic() + given.wait_seconds
    change = partial(_claim, caller=caller, given=given, lease_seconds=parts.settings.lease_seconds)
    while True:
        tried = await database.write(change)
        if tried.taken is not None:
            return tried.taken
        seconds = deadline - time.monotonic()
        if tried.is_held_up and seconds > -_LONGEST_HOLD_UP_SECONDS:
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        # A run that is claimed for a caller who has gone would wait for its lease to end.
        if (
            not await parts.waiting_agents.wait(tried.agent_id, seconds=seconds)
            or await request.is_disconnected()
        ):
            return Response(status_code=204)


@router.post("/runs/{run_id}/events", responses=_NOT_HELD)
def report_events(
    caller: AgentClient, session: SessionDep, request: Request, run_id: Id, given: EventsIn
) -> HeldOut:
    """Report numbered events; those that the server has already are skipped."""
    agent, lease_seconds = registered_agent(session, caller), parts_of(request).settings.lease_seconds
    held = Held(run_id, agent.id, given.attempt)
    progress = record_events(session, held, given.first, given.events, lease_seconds=lease_seconds)
    stay_connected(session, agent, lease_seconds)
    return word_progress(progress, lease_seconds=lease_seconds)


@router.post("/runs/{run_id}/heartbeat", responses=_NOT_HELD)
def report_heartbeat(
    caller: AgentClient, session: SessionDep, request: Request, run_id: Id, given: HeartbeatIn
) -> HeldOut:
    """Keep the lease while a step takes long."""
    agent, lease_seconds = registered_agent(session, caller), parts_of(request).settings.lease_seconds
    progress = renew_run(session, Held(run_id, agent.id, given.attempt), lease_seconds=lease_seconds)
    stay_connected(session, agent, lease_seconds)
    return word_progress(progress, lease_seconds=lease_seconds)


@router.post("/runs/{run_id}/finish", responses=_NOT_HELD)
def finish_run(caller: AgentClient, session: SessionDep, run_id: Id, given: FinishIn) -> FinishedOut:
    """End a run. The same request again gets the same answer."""
    held = Held(run_id, registered_agent(session, caller).id, given.attempt)
    return FinishedOut(status=conclude_run(session, held, given))


def _claim(session: Session, *, caller: Caller, given: ClaimIn, lease_seconds: int) -> _Tried:
    agent = registered_agent(session, caller)
    stay_connected(session, agent, lease_seconds + given.wait_seconds)
    claim_key = str(given.claim_key) if given.claim_key else None
    taken = claim_run(session, agent, lease_seconds=lease_seconds, claim_key=claim_key)
    if taken is not None:
        return _Tried(agent.id, word_claim(taken, lease_seconds=lease_seconds))
    return _Tried(agent.id, is_held_up=has_run_for_agent(session, agent.id))
