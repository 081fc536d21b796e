"""The queue of runs: which ones wait for whom, and cheap questions that take no lock."""

from sqlalchemy import BigInteger, bindparam, func, or_, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.resources.leases import Lease
from opendai.resources.runs.states import QUEUED

_run = tables.Run
LEASE = Lease(tables.Run)
"""How runs are claimed, held and given back."""

FOR_THE_SERVER = (_run.status == QUEUED) & (_run.walker == "server")
"""The condition for a run that waits for the server to walk it."""

FOR_AN_AGENT = (
    (_run.status == QUEUED)
    & (_run.walker == "agent")
    & or_(_run.wanted_agent_id.is_(None), _run.wanted_agent_id == bindparam("agent", type_=BigInteger))
)
"""The condition for a run that the agent of this id may claim."""

_FIRST_FOR_THE_SERVER = select(_run.id).where(FOR_THE_SERVER).limit(1)
_FOR_AGENTS = (
    select(_run.wanted_agent_id, func.count().label("runs"))
    .where(_run.status == QUEUED, _run.walker == "agent")
    .group_by(_run.wanted_agent_id)
)
_FIRST_FOR_AN_AGENT = select(_run.id).where(FOR_AN_AGENT).limit(1)
_FIRST_ENDED_LEASE = select(_run.id).where(LEASE.has_ended).limit(1)


def has_ended_lease(session: Session) -> bool:
    """Whether an agent has not reported on its run in time."""
    return session.connection().scalar(_FIRST_ENDED_LEASE) is not None


def has_run_for_server(session: Session) -> bool:
    """Whether a run waits for the server to walk it."""
    return session.connection().scalar(_FIRST_FOR_THE_SERVER) is not None


def has_run_for_agent(session: Session, agent_id: int) -> bool:
    """Whether a run waits that the agent of this id may claim, be its row locked or not."""
    return session.connection().scalar(_FIRST_FOR_AN_AGENT, {"agent": agent_id}) is not None


def count_runs_for_agents(session: Session) -> dict[int | None, int]:
    """How many runs wait for each agent alone, by its id, and for any agent, under None."""
    rows = session.connection().execute(_FOR_AGENTS)
    return {row.wanted_agent_id: row.runs for row in rows}
