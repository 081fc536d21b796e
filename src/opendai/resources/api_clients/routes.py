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
from opendai.resources.api_clients.repository import (
    ApiClientIn,
    ApiClientPatch,
    ApiClientRepository,
    Credentials,
)
from opendai.settings import Settings
from opendai.wire.inputs import Id, Limit, Offset, Output, Timestamp
from opendai.wire.routing import Router


class ApiClientOut(Output):
    """`revoked` is the moment from which the client is refused."""

    id: int
    client_id: str
    name: str
    description: str
    role: str
    grants: list[str]
    redirect_uris: list[str]
    is_public: bool
    created: Timestamp
    revoked: Timestamp | None


class ApiClientsOut(Output):
    items: list[ApiClientOut]
    total_count: int
    date_as_of: Timestamp


class IssuedOut(ApiClientOut):
    """An API client with its secret, which is shown this once; a public client has none."""

    client_secret: str | None
    token_url: str


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
        items=[ApiClientOut(**_shown(row)) for row in rows],
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
    return ApiClientOut(**_shown(clients.get(id)))


@router.patch("/{id}", responses={409: _TAKEN})
def update_api_client(
    caller: AdminPerson, audit: AuditDep, clients: ApiClients, id: Id, given: ApiClientPatch
) -> ApiClientOut:
    """Change the name, the description or the redirect URIs; what is left out stays as it is."""
    return ApiClientOut(**_shown(clients.change(id, given, audit)))


@router.post("/{id}/secret", response_model=IssuedOut, responses={200: _FILES})
def regenerate_secret(
    caller: AdminPerson,
    audit: AuditDep,
    settings: SettingsDep,
    clients: ApiClients,
    id: Id,
    wanted: WantedFormat,
) -> Response:
    """A new secret. The old one and every token are refused at once; a revoked client is let in again."""
    client, credentials = clients.regenerate(id, audit)
    return _issued(settings, client, credentials, wanted, status=200)


@router.post("/{id}/revoke")
def revoke_api_client(caller: AdminPerson, audit: AuditDep, clients: ApiClients, id: Id) -> ApiClientOut:
    """Refuse the client and every token that it was given, at once. Doing so again changes nothing."""
    return ApiClientOut(**_shown(clients.revoke(id, audit)))


@router.delete("/{id}", status_code=204)
def delete_api_client(caller: AdminPerson, audit: AuditDep, clients: ApiClients, id: Id) -> None:
    """Delete an API client, which ends its tokens. An agent that used it stays in the list of agents."""
    clients.remove(id, audit)


def _shown(client: tables.ApiClient) -> dict[str, Any]:
    return {
        "id": client.id,
        "client_id": client.client_id,
        "name": client.name,
        "description": client.description,
        "role": client.role,
        "grants": client.grants,
        "redirect_uris": client.redirect_uris,
        "is_public": client.secret_sha256 is None,
        "created": client.created_at,
        "revoked": client.revoked_at,
    }


def _issued(
    settings: Settings, client: tables.ApiClient, credentials: Credentials, wanted: Format, *, status: int
) -> Response:
    address = token_url(settings, settings.public_url)
    identity, secret = credentials.client_id, credentials.client_secret
    headers = {"Cache-Control": "no-store"}
    if wanted == "json":
        out = IssuedOut(**_shown(client), client_secret=secret or None, token_url=address)
        return Response(out.model_dump_json(), status, headers, media_type="application/json")
    # A name that people chose has no place in a header.
    headers["Content-Disposition"] = f'attachment; filename="api-client-{client.id}.{wanted}"'
    if wanted == "csv":
        return Response(as_csv(identity, secret, address), status, headers, media_type="text/csv")
    if client.role != "agent":
        raise Invalid("An ini file is for an API client of the role agent.")
    text = as_ini(identity, secret, address, url=settings.public_url)
    return Response(text, status, headers, media_type="text/plain")
