"""API clients over /api_clients, for people who are administrators."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Response

from opendai import tables
from opendai.auth.audit import AuditDep
from opendai.auth.callers import AdminPerson
from opendai.errors import Invalid
from opendai.parts import SettingsDep, repository
from opendai.resources.api_clients.credential_files import Format, WantedFormat, as_csv, as_ini, token_url
from opendai.resources.api_clients.repository import ApiClientRepository, Credentials
from opendai.resources.api_clients.schemas import (
    ApiClientIn,
    ApiClientOut,
    ApiClientPatch,
    ApiClientsOut,
    IssuedOut,
)
from opendai.settings import Settings
from opendai.wire.inputs import Id, Limit, Offset
from opendai.wire.routing import Router

ApiClients = Annotated[ApiClientRepository, repository(ApiClientRepository)]
router = Router(tags=["API clients"])
_FILES: dict[str, Any] = {
    "description": "As JSON; as a CSV file with `Accept: text/csv` or `?format=csv`; for an agent as an ini file with "
    "`Accept: text/plain` or `?format=ini`.",
    "content": {"text/csv": {"schema": {"type": "string"}}, "text/plain": {"schema": {"type": "string"}}},
}
_TAKEN = {"description": "The name or the id is taken."}


@router.get("/")
def list_api_clients(
    caller: AdminPerson, clients: ApiClients, offset: Offset = 0, limit: Limit = 1000
) -> ApiClientsOut:
    """The API clients, by id."""
    rows = clients.search(offset=offset, limit=limit)
    return ApiClientsOut(
        items=[ApiClientOut.of(row) for row in rows],
        total_count=clients.count(),
        date_as_of=datetime.now(UTC),
    )


@router.post("/", status_code=201, response_model=IssuedOut, responses={201: _FILES, 409: _TAKEN})
def create_api_client(
    caller: AdminPerson,
    audit: AuditDep,
    settings: SettingsDep,
    clients: ApiClients,
    wanted: WantedFormat,
    given: ApiClientIn,
) -> Response:
    """Create an API client. Its secret is in this answer and nowhere else."""
    client, credentials = clients.add(given, audit)
    return _issued(settings, client, credentials, wanted, status=201)


@router.get("/{id}")
def get_api_client(caller: AdminPerson, clients: ApiClients, id: Id) -> ApiClientOut:
    """One API client."""
    return ApiClientOut.of(clients.get(id))


@router.patch("/{id}", responses={409: _TAKEN})
def update_api_client(
    caller: AdminPerson, audit: AuditDep, clients: ApiClients, id: Id, given: ApiClientPatch
) -> ApiClientOut:
    """Change the name, the description or the redirect URIs; a field that is left out stays as it is."""
    return ApiClientOut.of(clients.change(id, given, audit))


@router.post("/{id}/secret", response_model=IssuedOut, responses={200: _FILES})
def regenerate_secret(
    caller: AdminPerson,
    audit: AuditDep,
    settings: SettingsDep,
    clients: ApiClients,
    id: Id,
    wanted: WantedFormat,
) -> Response:
    """Give an API client a new secret. The old secret and all tokens end; a revoked client is accepted again."""
    client, credentials = clients.regenerate_secret(id, audit)
    return _issued(settings, client, credentials, wanted, status=200)


@router.post("/{id}/revoke")
def revoke_api_client(caller: AdminPerson, audit: AuditDep, clients: ApiClients, id: Id) -> ApiClientOut:
    """Refuse the client and all of its tokens at once. A second time changes nothing."""
    return ApiClientOut.of(clients.revoke(id, audit))


@router.delete("/{id}", status_code=204)
def delete_api_client(caller: AdminPerson, audit: AuditDep, clients: ApiClients, id: Id) -> None:
    """Delete an API client and end its tokens. An agent that used it stays in the list of agents."""
    clients.remove(id, audit)


def _issued(
    settings: Settings, client: tables.ApiClient, credentials: Credentials, wanted: Format, *, status: int
) -> Response:
    address = token_url(settings, settings.public_url)
    identity, secret = credentials.client_id, credentials.client_secret
    headers = {"Cache-Control": "no-store"}
    if wanted == "json":
        out = IssuedOut.of(client, client_secret=secret or None, token_url=address)
        return Response(out.model_dump_json(by_alias=True), status, headers, media_type="application/json")
    # The file is named by the number, because a name that people chose does not belong in a header.
    headers["Content-Disposition"] = f'attachment; filename="api-client-{client.id}.{wanted}"'
    if wanted == "csv":
        return Response(as_csv(identity, secret, address), status, headers, media_type="text/csv")
    if client.role != "agent":
        raise Invalid("An ini file is for an API client of the role agent.")
    text = as_ini(identity, secret, address, url=settings.public_url)
    return Response(text, status, headers, media_type="text/plain")
