"""Generations: who sees them, and how a person starts and cancels them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.errors import Fault, NotFound, PreconditionFailed, TooMany
from opendai.resources.ai_servers.calls import DEADLINE_SECONDS
from opendai.resources.ai_servers.paging import Paging, sorted_by
from opendai.resources.ai_servers.repository import AiServerRepository
from opendai.tables.columns import now
from opendai.tables.states import CANCELLED, QUEUED, UNFINISHED

FINISHED: Final = "FINISHED"
_MOST_UNFINISHED = 10
_generation = tables.Generation
SORTABLE: Mapping[str, InstrumentedAttribute[Any]] = {
    "id": _generation.id,
    "status": _generation.status,
    "created_on": _generation.created_at,
}


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
        is_unfinished = (_generation.id == row.id) & _generation.status.in_(UNFINISHED)
        end = update(_generation).where(is_unfinished).values(status=CANCELLED, ended_at=now())
        self._session.execute(end.execution_options(synchronize_session=False))

    def _check_room(self, caller: Caller) -> None:
        query = select(func.count(_generation.id)).where(
            _generation.status.in_(UNFINISHED), _generation.started_by == caller.name
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
