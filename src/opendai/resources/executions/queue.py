"""Looks at the queue that take no lock: whether there is anything to claim or to end."""

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
    """Whether the agent of a run has not reported in time."""
    return session.scalar(_ENDED_LEASE) is not None


def has_run_for_server(session: Session) -> bool:
    """Whether a run waits for the server itself, which generates its path."""
    return session.scalar(_FOR_THE_SERVER) is not None
