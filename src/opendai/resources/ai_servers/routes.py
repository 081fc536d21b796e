"""The operations on AI servers, as Squash TM publishes them under /ai-servers."""

import re
from typing import Annotated

from fastapi import Depends, Path, Request

from opendai.auth.audit import Actor, Audit
from opendai.auth.basic import BasicAdmin, BasicUser
from opendai.errors import Fault, Invalid, PreconditionFailed
from opendai.outbound.addresses import refuse_forbidden
from opendai.parts import Parts, PartsDep, SessionDep, SettingsDep, repository
from opendai.resources.ai_servers.paging import PagingDep, check_sort
from opendai.resources.ai_servers.repository import SORTABLE, AiServerRepository
from opendai.resources.ai_servers.schemas import (
    AiServerIn,
    AiServerOut,
    AiServerPatch,
    AiServersOut,
    CredentialsIn,
    CredentialsOut,
    FieldsDep,
    Writer,
)
from opendai.wire.inputs import LARGEST_ID, Id, any_json, any_json_page
from opendai.wire.routing import Router

_MOST_IDS = 1000


async def _ids(
    id: Annotated[str, Path(description=f"An id, or up to {_MOST_IDS} with commas between them.")],
) -> list[int]:
    """The ids of a list, each once."""
    words = id.split(",")
    if len(words) > _MOST_IDS or not all(re.fullmatch("[0-9]{1,19}", word) for word in words):
        raise Invalid(f"id: must be up to {_MOST_IDS} ids with commas between them.")
    numbers = list(dict.fromkeys(map(int, words)))
    if not all(1 <= number <= LARGEST_ID for number in numbers):
        raise Invalid(f"id: each must be from 1 to {LARGEST_ID}.")
    return numbers


async def _writer(settings: SettingsDep, fields: FieldsDep) -> Writer:
    return Writer(settings.public_url, fields)


async def _audit(caller: BasicAdmin, request: Request, session: SessionDep) -> Audit:
    return Audit(session, Actor.asking(caller, request))


def _check_url(parts: Parts, given: AiServerPatch) -> None:
    if "url" in given.model_fields_set:
        try:
            refuse_forbidden(given.url, allowed=parts.ai_servers.allowed)
        except Invalid as error:
            faults = [Fault(fault.field, fault.problem, given.url) for fault in error.faults]
            raise PreconditionFailed(error.message, faults=faults) from error


AiServers = Annotated[AiServerRepository, repository(AiServerRepository)]
AuditDep = Annotated[Audit, Depends(_audit)]
WriterDep = Annotated[Writer, Depends(_writer)]
router = Router(tags=["AI servers"])


@router.get("/ai-servers", response_model_exclude_unset=True)
def list_ai_servers(
    caller: BasicUser, servers: AiServers, writer: WriterDep, paging: PagingDep, type: str = ""
) -> AiServersOut:
    """A page of the AI servers, by id unless `sort` names another order. A page beyond the last one is empty; `type`
    is accepted and changes nothing."""
    check_sort(paging.orders, SORTABLE)
    return writer.page(servers.search(paging), paging, total=servers.count())


@router.get("/ai-servers/{id}", response_model_exclude_unset=True)
def get_ai_server(caller: BasicUser, servers: AiServers, writer: WriterDep, id: Id) -> AiServerOut:
    """One AI server."""
    return writer.server(servers.get(id))


@router.post(
    "/ai-servers",
    status_code=201,
    response_model_exclude_unset=True,
    openapi_extra=any_json_page(AiServerIn),
)
def create_ai_server(
    caller: BasicAdmin,
    request: Request,
    parts: PartsDep,
    writer: WriterDep,
    given: Annotated[AiServerIn, any_json(AiServerIn)],
) -> AiServerOut:
    """Create an AI server. Its token is set by an operation of its own."""
    # Before the transaction: the check of an address may take a moment, and no other request should wait for it.
    _check_url(parts, given)
    with parts.database.writing() as session:
        audit = Audit(session, Actor.asking(caller, request))
        return writer.server(AiServerRepository(session).add(given, caller, audit))


@router.patch(
    "/ai-servers/{id}", response_model_exclude_unset=True, openapi_extra=any_json_page(AiServerPatch)
)
def update_ai_server(
    caller: BasicAdmin,
    request: Request,
    parts: PartsDep,
    writer: WriterDep,
    id: Id,
    given: Annotated[AiServerPatch, any_json(AiServerPatch)],
) -> AiServerOut:
    """Change an AI server; fields that are left out stay as they are. A new scheme, host or port deletes the
    credentials, because they belong to the old address."""
    _check_url(parts, given)
    with parts.database.writing() as session:
        audit = Audit(session, Actor.asking(caller, request))
        return writer.server(AiServerRepository(session).change(id, given, caller, audit))


@router.delete("/ai-servers/{id}", status_code=204)
def delete_ai_servers(
    caller: BasicAdmin, servers: AiServers, audit: AuditDep, ids: Annotated[list[int], Depends(_ids)]
) -> None:
    """Delete one AI server or several, with their credentials: all of them, or none if one is not there."""
    servers.remove(ids, audit)


@router.get("/ai-servers/{id}/credentials", response_model_exclude_unset=True)
def get_ai_server_credentials(
    caller: BasicAdmin, servers: AiServers, settings: SettingsDep, id: Id
) -> CredentialsOut:
    """Whether an AI server has credentials; 404 when it has none. They are never shown."""
    servers.check_credentials(id)
    return Writer(settings.public_url).credentials(id)


@router.post(
    "/ai-servers/{id}/credentials",
    response_model_exclude_unset=True,
    openapi_extra=any_json_page(CredentialsIn),
)
def set_ai_server_credentials(
    caller: BasicAdmin,
    servers: AiServers,
    audit: AuditDep,
    parts: PartsDep,
    id: Id,
    given: Annotated[CredentialsIn, any_json(CredentialsIn)],
) -> CredentialsOut:
    """Set the token for calls of an AI server, in place of the stored one. A blank token deletes it."""
    servers.set_token(id, given.token, parts.secret_key, audit)
    return Writer(parts.settings.public_url).credentials(id)
