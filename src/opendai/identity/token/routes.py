"""The token endpoint: the OAuth 2 grants in the shape of Keycloak, as the DAI 6.5 page shows them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from opendai import tables
from opendai.auth.audit import Origin
from opendai.auth.logins import begin_login, log_in
from opendai.credentials.passwords import LONGEST
from opendai.errors import Problem
from opendai.identity.clients import CLIENT_FIELDS, client_asking
from opendai.identity.realms import Realm, RealmDep
from opendai.identity.requests import (
    ENDPOINTS,
    LARGEST_FORM,
    NOT_STORED,
    Fields,
    GrantRefused,
    describe_form,
)
from opendai.identity.token.codes import exchange_code
from opendai.identity.token.issuing import Issuer, Standing, TokenOut
from opendai.identity.token.page_origins import headers_for_page
from opendai.identity.token.refreshing import rotate
from opendai.identity.token.scopes import check_scope, granted_scope
from opendai.parts import Parts, PartsDep
from opendai.wire.routing import Router

_NOBODY = "Invalid user credentials"
_FIELDS = (
    "grant_type",
    *CLIENT_FIELDS,
    "username",
    "password",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
)


@dataclass(frozen=True, slots=True)
class _Demand:
    """A token request of a client that may use this grant."""

    client: tables.ApiClient
    fields: Mapping[str, str]
    issuer: Issuer
    parts: Parts
    origin: Origin

    def need(self, name: str) -> str:
        if name not in self.fields:
            raise GrantRefused("invalid_request", f"Missing parameter: {name}")
        return self.fields[name]


router = Router(tags=["OpenID Connect"])


@router.post(
    f"{ENDPOINTS}/token",
    dependencies=[NOT_STORED],
    openapi_extra=describe_form(*_FIELDS, required=("grant_type",)),
    max_body_size=LARGEST_FORM,
    response_model_exclude_none=True,
    responses={
        401: {"description": "The credentials of the client or the user are wrong."},
        429: {"description": "Too many logins are waiting or failed; Retry-After says when to try again."},
    },
)
async def create_token(
    request: Request, response: Response, realm: RealmDep, parts: PartsDep, fields: Fields
) -> TokenOut:
    """Issue tokens to a program, or for a person who logs in through it, by a grant of the API client."""
    is_slow = fields.get("grant_type") == "password"
    run = parts.passwords.in_turn if is_slow else run_in_threadpool
    readable = await headers_for_page(request, parts.database, fields)
    response.headers.update(readable)
    try:
        granted: TokenOut = await run(_create_token, request, realm, parts, fields)
    except Problem as problem:
        problem.headers.update(readable)
        raise
    return granted


def _create_token(request: Request, realm: Realm, parts: Parts, fields: Mapping[str, str]) -> TokenOut:
    grant_type = fields.get("grant_type")
    if grant_type is None:
        raise GrantRefused("invalid_request", "Missing form parameter: grant_type")
    if grant_type not in _GRANTS:
        raise GrantRefused("unsupported_grant_type", "Unsupported grant_type")
    with parts.database.reading() as session:
        client = client_asking(session, request, realm, fields)
    if grant_type not in client.grants:
        raise GrantRefused("unauthorized_client", f"Client not allowed the grant {grant_type}")
    check_scope(fields.get("scope", ""))
    return _GRANTS[grant_type](_Demand(client, fields, Issuer.of(parts), parts, Origin.of(request)))


def _by_client_credentials(demand: _Demand) -> TokenOut:
    if demand.client.secret_sha256 is None:
        raise GrantRefused("unauthorized_client", "A client without a secret cannot use client_credentials")
    if demand.client.role == "login":
        raise GrantRefused("unauthorized_client", "A client of the role login has no rights of its own")
    return demand.issuer.answer_client(demand.client)


def _by_password(demand: _Demand) -> TokenOut:
    username, password = demand.need("username"), demand.need("password")
    if len(password) > LONGEST:
        raise GrantRefused("invalid_request", "The password is too long")
    user = log_in(
        demand.parts.database, demand.parts.passwords, username, password, address=demand.origin.address
    )
    if user is None:
        raise GrantRefused("invalid_grant", _NOBODY, status=401)
    with demand.parts.database.writing() as session:
        login = begin_login(
            session,
            user,
            lifetime=demand.issuer.login_seconds(demand.client),
            client=demand.client,
            scope=granted_scope(demand.fields.get("scope", "")),
            origin=demand.origin,
        )
    if login is None:
        raise GrantRefused("invalid_grant", _NOBODY, status=401)
    standing = Standing(login, user, login.expires - login.rotated)
    return demand.issuer.answer_login(standing, demand.client)


def _by_code(demand: _Demand) -> TokenOut:
    with demand.parts.database.writing() as session:
        standing = exchange_code(
            session,
            demand.need("code"),
            demand.client,
            redirect_uri=demand.fields.get("redirect_uri", ""),
            verifier=demand.fields.get("code_verifier", ""),
            lifetime=demand.issuer.login_seconds(demand.client),
            longest=demand.issuer.settings.login_seconds,
            origin=demand.origin,
        )
    # Refuse after the commit: a code that is used twice ends its login.
    if standing is None:
        raise GrantRefused("invalid_grant", "Code not valid")
    return demand.issuer.answer_login(standing, demand.client)


def _by_refresh_token(demand: _Demand) -> TokenOut:
    token = demand.issuer.refresh_tokens.read(demand.need("refresh_token"), demand.client)
    settings = demand.issuer.settings
    standing = None
    if token is not None:
        with demand.parts.database.writing() as session:
            standing = rotate(
                session,
                token,
                demand.client,
                idle=settings.refresh_token_seconds,
                longest=settings.login_seconds,
            )
    # Refuse after the commit: a copied token ends its login.
    if standing is None:
        raise GrantRefused("invalid_grant", "Invalid refresh token")
    return demand.issuer.answer_login(standing, demand.client)


_GRANTS: dict[str, Callable[[_Demand], TokenOut]] = {
    "client_credentials": _by_client_credentials,
    "password": _by_password,
    "authorization_code": _by_code,
    "refresh_token": _by_refresh_token,
}
