"""Agents that speak our protocol: who they are, and until when they count as connected."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.database import database_clock
from opendai.errors import Conflict, NotFound

# Built once, because every report runs it.
_OF_CLIENT = select(tables.Agent).where(tables.Agent.client_id == bindparam("client_id"))


def register(session: Session, caller: Caller, *, connected_seconds: float) -> tables.Agent:
    """The agent of the API client that asks: its own, one of its name that nobody has, or a new one."""
    agent = session.scalar(_OF_CLIENT, {"client_id": caller.id})
    if agent is None:
        agent = session.scalar(select(tables.Agent).where(tables.Agent.name == caller.name).with_for_update())
    if agent is None:
        agent = _new_agent(caller)
        session.add(agent)
    elif agent.client_id not in {None, caller.id}:
        raise Conflict(f'The agent "{caller.name}" belongs to another API client.')
    agent.client_id = caller.id
    stay_connected(agent, connected_seconds)
    session.flush()
    return agent


def registered_agent(session: Session, caller: Caller) -> tables.Agent:
    """The agent of the API client that asks; NotFound if it has not registered."""
    agent = session.scalar(_OF_CLIENT, {"client_id": caller.id})
    if agent is None:
        raise NotFound("This client is not registered as an agent: POST /agents first.")
    return agent


def stay_connected(agent: tables.Agent, seconds: float) -> None:
    """Let the agent count as connected for `seconds` from now, by the clock of the database."""
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
