"""Doing a generation: it is claimed, held while an AI server thinks, and ended. The fence guards every write."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Update, bindparam, select, update
from sqlalchemy.orm import Session, undefer

from opendai import tables
from opendai.database import database_clock
from opendai.resources.ai_servers.calls import StageFailed
from opendai.resources.ai_servers.generations import FINISHED
from opendai.resources.ai_servers.proposals import Draft
from opendai.resources.leases import Lease
from opendai.tables.columns import now
from opendai.tables.states import FAILED, UNFINISHED

MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Task:
    """A claimed generation, with the server to ask and the document of the model."""

    generation: tables.Generation
    server: tables.AiServer
    document: str | None


_generation = tables.Generation
_LEASE = Lease(_generation, ends="claimable_from")
# A generation that waits, or whose lease has ended.
_CLAIMABLE: ColumnElement[bool] = _generation.status.in_(UNFINISHED) & (
    _generation.claimable_from < database_clock()
)
_FIRST = select(_generation.id).where(_CLAIMABLE).limit(1)
_CLAIM = _LEASE.claim(
    _CLAIMABLE & (_generation.attempt < MOST_ATTEMPTS), started_at=bindparam("moment"), stage=None, reason=""
).returning(_generation.id)
_RENEW = _LEASE.renew(_LEASE.fence)
_FINISH = _LEASE.change(
    _LEASE.fence, status=FINISHED, proposals=bindparam("drafted"), ended_at=bindparam("moment"), reason=""
)
_FAIL = _LEASE.change(
    _LEASE.fence,
    status=FAILED,
    stage=bindparam("failed_stage"),
    reason=bindparam("why"),
    ended_at=bindparam("moment"),
)
_TRY_AGAIN = _LEASE.give_back(_LEASE.fence, stage=bindparam("failed_stage"), reason=bindparam("why"))
_FAIL_LOST = (
    update(_generation)
    .where(_CLAIMABLE, _generation.attempt >= MOST_ATTEMPTS)
    .values(
        status=FAILED,
        stage="attempts",
        reason=f"The server ended {MOST_ATTEMPTS} times while it waited for the answer.",
        ended_at=bindparam("moment"),
    )
)


def has_claimable(session: Session) -> bool:
    """Whether a generation can be claimed; asked without the write lock."""
    return session.connection().scalar(_FIRST) is not None


def claim_generation(session: Session, *, lease_seconds: float) -> Task | None:
    """Claim the oldest generation that waits: it is RUNNING under the next attempt. None if no generation waits."""
    given = {"lease_seconds": lease_seconds, "moment": now()}
    claimed = session.connection().scalar(_CLAIM, given)
    return None if claimed is None else _task(session, claimed)


def fail_lost_generations(session: Session) -> None:
    """Fail generations that were claimed the maximum number of times without a result."""
    session.connection().execute(_FAIL_LOST, {"moment": now()})


def renew_generation(session: Session, task: Task, *, lease_seconds: float) -> bool:
    """Extend the lease. False if it is lost: the generation was canceled, or another thread has claimed it."""
    return _write(session, task, _RENEW, lease_seconds=lease_seconds)


def finish_generation(session: Session, task: Task, drafts: Sequence[Draft]) -> bool:
    """Store the drafts. False if the lease is lost."""
    proposals = [{"id": number, **draft.model_dump()} for number, draft in enumerate(drafts, 1)]
    return _write(session, task, _FINISH, drafted=json.dumps(proposals), moment=now())


def fail_generation(session: Session, task: Task, failure: StageFailed) -> bool:
    """Store why the attempt failed. If another attempt may succeed, the generation waits for it."""
    why = {"failed_stage": failure.stage, "why": failure.reason}
    if failure.pause_seconds is None or task.generation.attempt >= MOST_ATTEMPTS:
        return _write(session, task, _FAIL, moment=now(), **why)
    return _write(session, task, _TRY_AGAIN, pause_seconds=float(failure.pause_seconds), **why)


def _write(session: Session, task: Task, statement: Update, **given: Any) -> bool:
    row = task.generation
    fence = {"row_id": row.id, "row_attempt": row.attempt}
    return session.connection().execute(statement, fence | given).rowcount > 0


def _task(session: Session, generation_id: int) -> Task:
    version, model, server = tables.ModelVersion, tables.Model, tables.AiServer
    row = session.get_one(_generation, generation_id, populate_existing=True)
    asked = session.scalars(select(server).where(server.id == row.server_id).options(undefer(server.token)))
    is_newest = (version.model_id == model.id) & (version.number == model.version_number)
    document = select(version.document).join(model, is_newest).where(model.id == row.model_id)
    return Task(row, asked.one(), session.scalar(document))
