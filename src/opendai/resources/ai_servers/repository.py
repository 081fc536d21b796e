"""The rows of AI servers, and the tokens that are stored with them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session, undefer

from opendai import tables
from opendai.auth.audit import Audit
from opendai.auth.callers import Caller
from opendai.credentials.secrets import SecretKey
from opendai.errors import Fault, NotFound, PreconditionFailed
from opendai.outbound.targets import Target
from opendai.resources.ai_servers.paging import Paging, sorted_by
from opendai.resources.ai_servers.schemas import COLUMNS, CONSTANTS, AiServerIn, AiServerPatch
from opendai.tables.columns import now

_server = tables.AiServer
# The constants are the same for every server and sort nothing.
SORTABLE: Mapping[str, InstrumentedAttribute[Any] | None] = {
    "id": _server.id,
    **{field: getattr(_server, column) for field, column in COLUMNS.items()},
    **dict.fromkeys(CONSTANTS),
}


class AiServerRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, server_id: int) -> tables.AiServer:
        row = self._session.scalar(select(_server).where(_server.id == server_id))
        if row is None:
            raise _missing(server_id)
        return row

    def get_with_token(self, server_id: int) -> tables.AiServer:
        """The row with its sealed token, which only a call of the server needs."""
        query = select(_server).where(_server.id == server_id).options(undefer(_server.token))
        row = self._session.scalar(query)
        if row is None:
            raise _missing(server_id)
        return row

    def search(self, paging: Paging) -> Sequence[tables.AiServer]:
        order = [*sorted_by(paging.orders, SORTABLE), _server.id.asc()]
        query = select(_server).order_by(*order).offset(paging.offset).limit(paging.size)
        return self._session.scalars(query).all()

    def count(self) -> int:
        return self._session.scalar(select(func.count(_server.id))) or 0

    def add(self, given: AiServerIn, caller: Caller, audit: Audit) -> tables.AiServer:
        moment = now()
        row = tables.AiServer(
            **given.model_dump(exclude_unset=True),
            created_by=caller.name,
            created_at=moment,
            last_modified_by=caller.name,
            last_modified_at=moment,
        )
        self._session.add(row)
        self._flush(row)
        audit.record("ai_server.create", _target(row.id), **_facts(row.name, row.url))
        return row

    def change(self, server_id: int, given: AiServerPatch, caller: Caller, audit: Audit) -> tables.AiServer:
        row = self._lock(server_id)
        before = {column: getattr(row, column) for column in given.model_fields_set}
        if "url" in given.model_fields_set and Target.parse(given.url).origin != Target.parse(row.url).origin:
            # Otherwise an administrator could have the token sent to a server of their own.
            row.token = None
        for column, value in given.model_dump(exclude_unset=True).items():
            setattr(row, column, value)
        if self._session.is_modified(row):
            row.last_modified_by, row.last_modified_at = caller.name, now()
        self._flush(row)
        changed = sorted(column for column, value in before.items() if value != getattr(row, column))
        if changed:
            audit.record("ai_server.update", _target(server_id), changed=changed, **_facts(row.name, row.url))
        return row

    def remove(self, server_ids: Sequence[int], audit: Audit) -> None:
        """Delete all of the servers, or none if one of them is not there."""
        # The rows are locked in the order of their ids, so that two requests cannot wait for each other.
        rows = self._session.execute(
            select(_server.id, _server.name, _server.url)
            .where(_server.id.in_(server_ids))
            .order_by(_server.id)
            .with_for_update()
        ).all()
        found = {row.id for row in rows}
        for server_id in server_ids:
            if server_id not in found:
                raise _missing(server_id)
        self._session.execute(delete(_server).where(_server.id.in_(found)))
        for row in rows:
            audit.record("ai_server.delete", _target(row.id), **_facts(row.name, row.url))

    def check_credentials(self, server_id: int) -> None:
        """Return if the server has credentials; NotFound otherwise."""
        has_token = self._session.scalar(select(_server.token.is_not(None)).where(_server.id == server_id))
        if has_token is None:
            raise _missing(server_id)
        if not has_token:
            raise NotFound(f"The AI server {server_id} has no credentials.")

    def set_token(self, server_id: int, token: str, secret_key: SecretKey, audit: Audit) -> None:
        """Store the token for calls of the server. An empty token deletes the stored one."""
        row = self._lock(server_id)
        row.token = secret_key.encrypt(token.encode(), place=place_of(server_id)) if token else None
        self._session.flush()
        audit.record("ai_server.credentials", _target(server_id), is_set=bool(token))

    def _lock(self, server_id: int) -> tables.AiServer:
        row = self._session.scalar(select(_server).where(_server.id == server_id).with_for_update())
        if row is None:
            raise _missing(server_id)
        return row

    def _flush(self, row: tables.AiServer) -> None:
        name = row.name
        try:
            self._session.flush()
        except IntegrityError as error:
            raise PreconditionFailed(
                f'There is an AI server "{name}" already.', faults=[Fault("name", "is taken", name)]
            ) from error


def place_of(server_id: int) -> str:
    """The place that a server's token is bound to when it is encrypted."""
    return f"ai_servers:{server_id}:token"


def _target(server_id: int) -> str:
    return f"ai_server:{server_id}"


def _facts(name: str, url: str) -> dict[str, object]:
    # Some endpoints take their key in the query.
    return {"name": name, "url": url.partition("?")[0]}


def _missing(server_id: int) -> NotFound:
    return NotFound(f"There is no AI server {server_id}.")
