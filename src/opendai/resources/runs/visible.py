"""Which runs a caller sees and adds to."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from opendai.auth.callers import Caller
from opendai.errors import NotFound
from opendai.tables import Agent, Run


def sees_run(caller: Caller) -> ColumnElement[bool]:
    """The condition that a run is in a group of the caller."""
    return caller.sees(Run.group_id)


def get_visible_run(session: Session, run_id: int, caller: Caller) -> Run:
    run = find_visible_run(session, run_id, caller)
    if run is None:
        raise NotFound(f"There is no run {run_id}.")
    return run


def find_visible_run(session: Session, run_id: int, caller: Caller) -> Run | None:
    """The run, if the caller may add to it. An agent's client sees the runs that it walks, and no others."""
    query = select(Run).where(Run.id == run_id)
    if caller.is_agent_client:
        agent = select(Agent.id).where(Agent.client_id == caller.id).scalar_subquery()
        return session.scalar(query.where(Run.agent_id == agent))
    return session.scalar(query.where(sees_run(caller)))
