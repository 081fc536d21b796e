"""Cheap questions to the queue of runs, so that the write lock is taken only where there is work."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import database_clock
from opendai.resources.executions.claims import waits_for
from opendai.resources.runs.states import RUNNING

_run = tables.Run
_ENDED_LEASE = select(_run.id).where(_run.status == RUNNING, _run.lease_ends < database_clock()).limit(1)
_FOR_THE_SERVER = select(_run.id).where(waits_for(None)).limit(1)


def has_ended_lease(session: Session) -> bool:
    """Whether an agent has not reported on its run in time."""
    return session.scalar(_ENDED_LEASE) is not None


def has_run_for_server(session: Session) -> bool:
    """Whether a run waits for the server to walk it."""
    return session.scalar(_FOR_THE_SERVER) is not None


def has_run_for(session: Session, agent: tables.Agent) -> bool:
    """Whether a run waits that the agent may claim."""
    return session.scalar(select(_run.id).where(waits_for(agent)).limit(1)) is not None
