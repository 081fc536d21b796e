"""The rows of generations: who sees them, and how their status changes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, undefer

from opendai import tables
from opendai.auth.callers import Caller
from opendai.database import database_clock
from opendai.errors import Fault, NotFound, PreconditionFailed, TooMany
from opendai.resources.ai_servers.calls import DEADLINE_SECONDS, StageFailed
from opendai.resources.ai_servers.paging import Paging, sorted_by
from opendai.resources.ai_servers.proposals import Draft
from opendai.resources.ai_servers.repository import AiServerRepository
from opendai.tables.columns import now

QUEUED, RUNNING, FINISHED, FAILED, CANCELLED = "QUEUED", "RUNNING", "FINISHED", "FAILED", "CANCELLED"
MOST_ATTEMPTS = 3
_MOST_UNFINISHED = 10
_UNFINISHED = (QUEUED, RUNNING)
_generation = tables.Generation
SORTABLE: Mapping[str, InstrumentedAttribute[Any]] = {
    "id": _generation.id,
    "status": _generation.status,
    "created_on": _generation.created_at,
}


@dataclass(frozen=True, slots=True)
class Task:
    """A claimed generation, with the server to ask and the document of the model."""

    generation: tables.Generation
    server: tables.AiServer
    document: str | None


@dataclass(frozen=True, slots=True)
class Details:
    """The facts about a generation that other tables hold."""

    model_uuid: str | None
    deadline_seconds: int


class GenerationRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self, server_id: int, requirement: str, model_ref: str | None, caller: Caller
    ) -> tables.Generation:
        server = AiServerRepository(self._session).get(server_id)
        model = None if model_ref is None else hold_named_model(self._session, model_ref, caller)
        self._check_room(caller)
        row = tables.Generation(
            server_id=server.id,
            model_id=model.id if model else None,
            owner_id=caller.id if caller.kind == "user" else None,
            started_by=caller.name,
            requirement=requirement,
            status=QUEUED,
        )
        self._session.add(row)
        self._session.flush()
        return row

    def get(self, server_id: int, generation_id: int, caller: Caller) -> tables.Generation:
        row = self._session.scalar(_visible(server_id, caller).where(_generation.id == generation_id))
        if row is None:
            raise NotFound(f"There is no generation {generation_id} of the AI server {server_id}.")
        return row

    def search(self, server_id: int, caller: Caller, paging: Paging) -> Sequence[tables.Generation]:
        order = [*sorted_by(paging.orders, SORTABLE), _generation.id.asc()]
        query = _visible(server_id, caller).order_by(*order).offset(paging.offset).limit(paging.size)
        return self._session.scalars(query).all()

    def count(self, server_id: int, caller: Caller) -> int:
        query = select(func.count()).select_from(_visible(server_id, caller).subquery())
        return self._session.scalar(query) or 0

    def details(self, rows: Sequence[tables.Generation]) -> Mapping[int, Details]:
        """The details of each row, by its id."""
        server, model = tables.AiServer, tables.Model
        query = (
            select(_generation.id, model.uuid, func.coalesce(server.timeout_seconds, DEADLINE_SECONDS))
            .join(server, server.id == _generation.server_id)
            .outerjoin(model, model.id == _generation.model_id)
            .where(_generation.id.in_([row.id for row in rows]))
        )
        return {number: Details(uuid, seconds) for number, uuid, seconds in self._session.execute(query)}

    def cancel(self, server_id: int, generation_id: int, caller: Caller) -> None:
        """Cancel a generation. A generation that has ended stays as it is."""
        row = self.get(server_id, generation_id, caller)
        is_unfinished = (_generation.id == row.id) & _generation.status.in_(_UNFINISHED)
        _update(self._session, is_unfinished, status=CANCELLED, ended_at=now())

    def _check_room(self, caller: Caller) -> None:
        query = select(func.count(_generation.id)).where(
            _generation.status.in_(_UNFINISHED), _generation.started_by == caller.name
        )
        if (self._session.scalar(query) or 0) >= _MOST_UNFINISHED:
            message = f"{_MOST_UNFINISHED} of your generations have not ended yet. Wait, or cancel one."
            raise TooMany(message, retry_after=10)


def hold_named_model(session: Session, model_ref: str, caller: Caller) -> tables.Model:
    """The model with this UUID or number, locked as by `hold_model`; PreconditionFailed if there is none."""
    model = tables.Model
    is_number = model_ref.isascii() and model_ref.isdigit() and len(model_ref) < 19
    is_meant = model.id == int(model_ref) if is_number else model.uuid == model_ref.lower()
    query = select(model).where(is_meant, caller.sees(model.group_id)).with_for_update(key_share=True)
    found = session.scalar(query)
    if found is None:
        problem = "is neither the modeluuid nor the number of a model"
        raise PreconditionFailed(f"model_id: {problem}", faults=[Fault("model_id", problem, model_ref)])
    return found


def _visible(server_id: int, caller: Caller) -> Select[tables.Generation]:
    model = tables.Model
    owner_id = caller.id if caller.kind == "user" else None
    is_own = _generation.model_id.is_(None) & (_generation.owner_id == owner_id)
    return (
        select(_generation)
        .outerjoin(model, model.id == _generation.model_id)
        .where(_generation.server_id == server_id, or_(caller.sees(model.group_id), is_own))
    )


def has_claimable(session: Session) -> bool:
    """Whether a generation can be claimed; asked without the write lock."""
    return session.scalar(_CLAIMABLE) is not None


def _claimable() -> ColumnElement[bool]:
    """The condition of a generation that waits, or whose lease has ended."""
    return _generation.status.in_(_UNFINISHED) & (_generation.claimable_from < database_clock())


_CLAIMABLE = select(_generation.id).where(_claimable()).limit(1)


def claim(session: Session, *, lease_seconds: float) -> Task | None:
    """Claim the oldest generation that waits: it is RUNNING under the next attempt. None if no generation waits."""
    oldest = (
        select(_generation.id)
        .where(_claimable(), _generation.attempt < MOST_ATTEMPTS)
        .order_by(_generation.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    claimed = session.scalar(
        update(_generation)
        .where(_generation.id == oldest.scalar_subquery(), _claimable())
        .values(
            status=RUNNING,
            attempt=_generation.attempt + 1,
            claimable_from=database_clock() + lease_seconds,
            started_at=now(),
            stage=None,
            reason="",
        )
        .returning(_generation.id)
        .execution_options(synchronize_session=False)
    )
    return None if claimed is None else _task(session, claimed)


def _task(session: Session, generation_id: int) -> Task:
    version, model, server = tables.ModelVersion, tables.Model, tables.AiServer
    row = session.get_one(_generation, generation_id, populate_existing=True)
    asked = session.scalars(select(server).where(server.id == row.server_id).options(undefer(server.token)))
    is_newest = (version.model_id == model.id) & (version.number == model.version_number)
    document = select(version.document).join(model, is_newest).where(model.id == row.model_id)
    return Task(row, asked.one(), session.scalar(document))


def give_up(session: Session) -> None:
    """Fail generations that were claimed the maximum number of times without a result."""
    is_lost = _claimable() & (_generation.attempt >= MOST_ATTEMPTS)
    reason = f"The server ended {MOST_ATTEMPTS} times while it waited for the answer."
    _update(session, is_lost, status=FAILED, stage="attempts", reason=reason, ended_at=now())


def renew(session: Session, task: Task, *, lease_seconds: float) -> bool:
    """Extend the lease. False if it is lost: the generation was canceled, or another thread has claimed it."""
    return _update(session, _held(task), claimable_from=database_clock() + lease_seconds)


def finish(session: Session, task: Task, drafts: Sequence[Draft]) -> bool:
    proposals = [{"id": number, **draft.model_dump()} for number, draft in enumerate(drafts, 1)]
    return _update(
        session, _held(task), status=FINISHED, proposals=json.dumps(proposals), ended_at=now(), reason=""
    )


def fail(session: Session, task: Task, failure: StageFailed) -> bool:
    """Store why the attempt failed. If another attempt may succeed, the generation waits for it."""
    told = {"stage": failure.stage, "reason": failure.reason}
    if failure.pause_seconds is None or task.generation.attempt >= MOST_ATTEMPTS:
        return _update(session, _held(task), status=FAILED, ended_at=now(), **told)
    again = database_clock() + float(failure.pause_seconds)
    return _update(session, _held(task), status=QUEUED, claimable_from=again, **told)


def _held(task: Task) -> ColumnElement[bool]:
    row = task.generation
    return (_generation.id == row.id) & (_generation.status == RUNNING) & (_generation.attempt == row.attempt)


def _update(session: Session, condition: ColumnElement[bool], **values: Any) -> bool:
    changed = update(_generation).where(condition).values(**values).returning(_generation.id)
    return bool(session.scalars(changed.execution_options(synchronize_session=False)).all())
