"""Agents that speak our protocol: who they are, and until when they count as connected."""

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.database import database_clock
from opendai.errors import Conflict, NotFound
from opendai.resources.executions.rows import RegisteredAgent

_agent = tables.Agent


# Built once, because every report runs it.
_OF_CLIENT = select(_agent.id, _agent.name, _agent.connected_until - database_clock()).where(
    _agent.client_id == bindparam("client")
)
_STAY = (
    update(_agent)
    .where(_agent.id == bindparam("agent"))
    .values(connected_until=database_clock() + bindparam("seconds"))
)
_LEAVE = update(_agent).where(_agent.id == bindparam("agent")).values(connected_until=0.0)


def register(session: Session, caller: Caller, *, connected_seconds: float) -> RegisteredAgent:
    """The agent of the API client that asks: its own, one of its name that nobody has, or a new one."""
    agent = session.scalar(select(_agent).where(_agent.client_id == caller.id))
    if agent is None:
        agent = session.scalar(select(_agent).where(_agent.name == caller.name).with_for_update())
    if agent is None:
        agent = _new_agent(caller)
        session.add(agent)
    elif agent.client_id not in {None, caller.id}:
        raise Conflict(f'The agent "{caller.name}" belongs to another API client.')
    agent.client_id = caller.id
    agent.connected_until = database_clock() + connected_seconds
    session.flush()
    return RegisteredAgent(agent.id, agent.name, connected_seconds)


def registered_agent(session: Session, caller: Caller) -> RegisteredAgent:
    """The agent of the API client that asks; NotFound if it has not registered."""
    row = session.connection().execute(_OF_CLIENT, {"client": caller.id}).one_or_none()
    if row is None:
        raise NotFound("This client is not registered as an agent: POST /agents first.")
    return RegisteredAgent(*row)


def stay_connected(session: Session, agent: RegisteredAgent, seconds: float) -> None:
    """Let the agent count as connected for about `seconds`; written once in a third of that time."""
    if agent.connected_seconds < seconds * 2 / 3:
        session.connection().execute(_STAY, {"agent": agent.id, "seconds": seconds})


def leave(session: Session, agent: RegisteredAgent) -> None:
    """Let the agent no longer count as connected."""
    session.connection().execute(_LEAVE, {"agent": agent.id})


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
