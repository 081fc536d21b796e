"""Claiming a run: one conditional UPDATE, with the attempt as the fence of every later write."""

import json
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import database_clock
from opendai.engine import STRATEGIES
from opendai.resources.executions.endings import write_log
from opendai.resources.runs.states import QUEUED, RUNNING
from opendai.tables.columns import now

Hits = list[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is somebody's to walk, with the text of its model and what was taken before."""

    run: tables.Run
    model_uuid: str
    document: str
    hits: Hits


def waits_for(agent: tables.Agent | None) -> ColumnElement[bool]:
    """The condition of the queued runs that an agent may claim, or for None the server itself."""
    run = tables.Run
    if agent is None:
        return (run.status == QUEUED) & (run.walker == "server")
    wanted = or_(run.wanted_agent_id.is_(None), run.wanted_agent_id == agent.id)
    return (run.status == QUEUED) & (run.walker == "agent") & wanted


def claim_run(
    session: Session, agent: tables.Agent | None, *, lease_seconds: float, claim_key: str | None = None
) -> Claim | None:
    """The oldest run that waits for the agent, now RUNNING under the next attempt; None if nothing waits.

    The same `claim_key` again brings the same claim, for the agent whose answer was lost.
    """
    if agent is not None and claim_key is not None:
        again = session.scalar(
            select(tables.Run).where(
                tables.Run.agent_id == agent.id,
                tables.Run.claim_key == claim_key,
                tables.Run.status == RUNNING,
                tables.Run.last_event == 0,
            )
        )
        if again is not None:
            again.lease_ends = database_clock() + lease_seconds
            return _claim(session, again)
    oldest = (
        select(tables.Run.id)
        .where(waits_for(agent))
        .order_by(tables.Run.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    moment = now()
    claimed = session.scalar(
        update(tables.Run)
        .where(tables.Run.id == oldest.scalar_subquery(), tables.Run.status == QUEUED)
        .values(
            status=RUNNING,
            attempt=tables.Run.attempt + 1,
            agent_id=agent.id if agent else None,
            claim_key=claim_key,
            lease_ends=database_clock() + lease_seconds,
            last_event=0,
            steps=0,
            started_at=func.coalesce(tables.Run.started_at, moment),
            occurred_at=func.coalesce(tables.Run.started_at, moment),
        )
        .returning(tables.Run.id)
        .execution_options(synchronize_session=False)
    )
    if claimed is None:
        return None
    run = session.get_one(tables.Run, claimed, populate_existing=True)
    who = f"agent {agent.name}" if agent else "the server"
    write_log(session, run, f"Attempt {run.attempt} was claimed by {who}.", "INFO")
    return _claim(session, run)


def _claim(session: Session, run: tables.Run) -> Claim:
    version, model = tables.ModelVersion, tables.Model
    row = session.execute(
        select(version.document, model.uuid)
        .join(model, model.id == version.model_id)
        .where(version.id == run.version_id)
    ).one()
    if run.hits is None:
        run.hits = json.dumps(_hits(session, run) if STRATEGIES[run.generator].uses_hits else [])
    session.flush()
    hits = [(state, action, times) for state, action, times in json.loads(run.hits)]
    return Claim(run=run, model_uuid=row.uuid, document=row.document, hits=hits)


def _hits(session: Session, run: tables.Run) -> Hits:
    """How often finished and present runs of the same version took each action."""
    total, timing, other = tables.TransitionTotal, tables.Timing, tables.Run
    counts: dict[tuple[str, str], int] = {}
    finished = session.execute(
        select(total.state, total.action, func.sum(total.passes + total.fails))
        .where(total.version_id == run.version_id)
        .group_by(total.state, total.action)
    )
    present = session.execute(
        select(timing.state, timing.action, func.count())
        .join(other, (other.id == timing.run_id) & (other.attempt == timing.attempt))
        .where(other.version_id == run.version_id, other.status == RUNNING, timing.phase == "walk")
        .group_by(timing.state, timing.action)
    )
    for state, action, times in [*finished, *present]:
        counts[state, action] = counts.get((state, action), 0) + int(times)
    return [(state, action, times) for (state, action), times in sorted(counts.items())]
