"""Claiming a run: one conditional UPDATE, with the attempt as the fence of every later write."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, func, select, union_all, update
from sqlalchemy.orm import Session

from opendai import tables
from opendai.engine import STRATEGIES
from opendai.resources.executions.endings import write_log
from opendai.resources.executions.queue import FOR_AN_AGENT, FOR_THE_SERVER, LEASE
from opendai.resources.executions.rows import RegisteredAgent, unindexed
from opendai.resources.runs.states import RUNNING
from opendai.tables.columns import now

Hits = list[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that the claimer has to walk, with the document of its model and what earlier runs have taken."""

    run_id: int
    attempt: int
    execution_id: str
    version_id: int
    model_name: str
    model_uuid: str
    document: str
    generator: str
    seed: int
    step_limit: int
    target_coverage: float | None
    test_case_text: str | None
    step_pause_seconds: float
    asset: str | None
    """JSON, as it was given when the run was queued."""
    sut: str | None
    """JSON, as it was given when the run was queued."""
    hits: Hits


_run, _version, _model = tables.Run, tables.ModelVersion, tables.Model
_timing, _total = tables.Timing, tables.TransitionTotal
_COLUMNS = (
    _run.id,
    _run.attempt,
    _run.execution_id,
    _run.version_id,
    _run.model_name,
    _run.generator,
    _run.seed,
    _run.step_limit,
    _run.target_coverage,
    _run.test_case_text,
    _run.step_pause_seconds,
    _run.asset,
    _run.sut,
    _run.hits,
)
_begun_at = func.coalesce(_run.started_at, bindparam("moment", type_=_run.started_at.type))
_CLAIM_FOR_THE_SERVER = LEASE.claim(
    FOR_THE_SERVER, last_event=0, steps=0, started_at=_begun_at, occurred_at=_begun_at
).returning(*_COLUMNS)
_CLAIM_FOR_AN_AGENT = LEASE.claim(
    FOR_AN_AGENT,
    agent_id=bindparam("agent", type_=BigInteger),
    claim_key=bindparam("key"),
    last_event=0,
    steps=0,
    started_at=_begun_at,
    occurred_at=_begun_at,
).returning(*_COLUMNS)
_CLAIM_AGAIN = LEASE.renew(
    (unindexed(_run.agent_id) == bindparam("agent", type_=BigInteger))
    & (_run.claim_key == bindparam("key"))
    & (_run.last_event == 0)
).returning(*_COLUMNS)
_DOCUMENT = (
    select(_version.document, _model.uuid)
    .join(_model, _model.id == _version.model_id)
    .where(_version.id == bindparam("version"))
)
_HITS = union_all(
    select(_total.state, _total.action, (_total.passes + _total.fails).label("times")).where(
        _total.version_id == bindparam("version")
    ),
    select(_timing.state, _timing.action, func.count())
    .join(_run, (_run.id == _timing.run_id) & (_run.attempt == _timing.attempt))
    .where(
        unindexed(_run.version_id) == bindparam("version", type_=BigInteger),
        _run.status == RUNNING,
        _timing.phase == "walk",
    )
    .group_by(_timing.state, _timing.action),
)
_KEEP_HITS = update(_run).where(_run.id == bindparam("of_run")).values(hits=bindparam("known"))


def claim_run(
    session: Session,
    agent: RegisteredAgent | None,
    *,
    lease_seconds: float,
    claim_key: str | None = None,
) -> Claim | None:
    """The oldest run that waits for the agent, or for None for the server; None if none waits.

    The same `claim_key` again brings the same claim, for an agent that did not get the answer.
    """
    connection = session.connection()
    if agent is not None and claim_key is not None:
        again = {"agent": agent.id, "key": claim_key, "lease_seconds": lease_seconds}
        row = connection.execute(_CLAIM_AGAIN, again).one_or_none()
        if row is not None:
            return _claim(connection, row)
    given: dict[str, Any] = {"moment": now(), "lease_seconds": lease_seconds}
    if agent is None:
        row = connection.execute(_CLAIM_FOR_THE_SERVER, given).one_or_none()
    else:
        given |= {"agent": agent.id, "key": claim_key}
        row = connection.execute(_CLAIM_FOR_AN_AGENT, given).one_or_none()
    if row is None:
        return None
    claimer = f"agent {agent.name}" if agent else "the server"
    write_log(connection, row.id, f"Attempt {row.attempt} was claimed by {claimer}.", "INFO")
    return _claim(connection, row)


def _claim(connection: Connection, row: Any) -> Claim:
    source = connection.execute(_DOCUMENT, {"version": row.version_id}).one()
    return Claim(
        run_id=row.id,
        attempt=row.attempt,
        execution_id=row.execution_id,
        version_id=row.version_id,
        model_name=row.model_name,
        model_uuid=source.uuid,
        document=source.document,
        generator=row.generator,
        seed=row.seed,
        step_limit=row.step_limit,
        target_coverage=row.target_coverage,
        test_case_text=row.test_case_text,
        step_pause_seconds=row.step_pause_seconds,
        asset=row.asset,
        sut=row.sut,
        hits=_hits(connection, row),
    )


def _hits(connection: Connection, row: Any) -> Hits:
    """The hits that the run starts with. The first claim keeps them, so every attempt and every rerun starts alike."""
    if row.hits is not None:
        return [(state, action, times) for state, action, times in json.loads(row.hits)]
    if not STRATEGIES[row.generator].uses_hits:
        return []
    hits = _count_hits(connection, row.version_id)
    connection.execute(_KEEP_HITS, {"of_run": row.id, "known": json.dumps(hits)})
    return hits


def _count_hits(connection: Connection, version_id: int) -> Hits:
    """How often finished and present runs of a version took each action."""
    counts: Counter[tuple[str, str]] = Counter()
    for state, action, times in connection.execute(_HITS, {"version": version_id}):
        counts[state, action] += times
    return [(state, action, times) for (state, action), times in sorted(counts.items())]
