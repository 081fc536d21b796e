"""The record of changes that matter for security: who changed what, and when. Nothing changes the record."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Admin
from opendai.parts import repository
from opendai.wire.inputs import Limit, Line, Offset, Output, QueryMoment, Search, Timestamp
from opendai.wire.routing import Router
from opendai.wire.sorting import sort_by

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_ISO_8601 = re.compile(rf"{_DAY}(?:T{_CLOCK}(?:Z|[+ -][0-9]{{2}}:?[0-9]{{2}})?)?")


def _written_out(value: object) -> object:
    # A bare number would be taken for seconds since 1970.
    if not isinstance(value, str) or not _ISO_8601.fullmatch(value):
        raise ValueError("must be a moment by ISO 8601, such as 2026-11-22T09:30:00Z")
    return value


IsoTime = Annotated[QueryMoment, BeforeValidator(_written_out)]


class AuditEventOut(Output):
    """`action` is create, update or delete of a user, a group or an api_client, as "user.create"; api_client.revoke
    or api_client.regenerate; license.create or license.delete; smtp.update; key.rotate or key.disable; user.unlock;
    login or logout. `actor_kind` is user, client, command for a command on the server itself, or provider for an
    outside identity provider.
    """

    id: int
    created_at: Timestamp = Field(serialization_alias="timestamp")
    action: str
    actor_kind: str
    actor: str
    address: str | None
    target: str
    details: dict[str, Any]
    request_id: str | None


class AuditEventsOut(Output):
    items: list[AuditEventOut]
    total_count: int
    date_as_of: Timestamp


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """Which events to return. None does not restrict. `until` is the first moment that is left out."""

    action: str | None = None
    actor: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        event = tables.AuditEvent
        by_text = ((event.action, self.action), (event.actor, self.actor), (event.target, self.target))
        found: list[ColumnElement[bool]] = [column == text for column, text in by_text if text is not None]
        if self.since is not None:
            found.append(event.created_at >= self.since)
        if self.until is not None:
            found.append(event.created_at < self.until)
        return found


class AuditEventRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def search(
        self, filters: AuditFilters, *, sort: str | None, offset: int, limit: int
    ) -> Sequence[tables.AuditEvent]:
        event = tables.AuditEvent
        query = select(event).where(*filters.conditions()).order_by(*sort_by(sort, _SORTABLE, event.id))
        return self._session.scalars(query.offset(offset).limit(limit)).all()

    def count(self, filters: AuditFilters) -> int:
        # Each filter has an index, so that the count reads no rows.
        query = select(func.count()).select_from(tables.AuditEvent).where(*filters.conditions())
        return self._session.scalar(query) or 0


_SORTABLE = {
    "id": tables.AuditEvent.id,
    "timestamp": tables.AuditEvent.created_at,
    "action": tables.AuditEvent.action,
    "actor": tables.AuditEvent.actor,
    "target": tables.AuditEvent.target,
}

AuditEvents = Annotated[AuditEventRepository, repository(AuditEventRepository)]
router = Router(tags=["Audit"])


@router.get("/audit")
def list_audit_events(
    caller: Admin,
    events: AuditEvents,
    action: Line | None = None,
    actor: Line | None = None,
    target: Line | None = None,
    since: IsoTime | None = None,
    until: IsoTime | None = None,
    sort: Search | None = None,
    offset: Offset = 0,
    limit: Limit = 1000,
) -> AuditEventsOut:
    """Changes that matter for security, by id: from `since` on and before `until`. A filter without a value does not
    restrict."""
    filters = AuditFilters(
        action=action or None, actor=actor or None, target=target or None, since=since, until=until
    )
    rows = events.search(filters, sort=sort, offset=offset, limit=limit)
    return AuditEventsOut(
        items=[AuditEventOut.model_validate(row) for row in rows],
        total_count=events.count(filters),
        date_as_of=datetime.now(UTC),
    )
