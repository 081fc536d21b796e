"""The token endpoint: OAuth 2 grants in the shape of Keycloak, as the DAI 6.5 page shows them."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from opendai import tables
from opendai.auth.addresses import client_address
from opendai.auth.logins import begin_login, find_client, log_in, token_for_client, token_for_user
from opendai.auth.passwords import LONGEST
from opendai.database import Database
from opendai.errors import NotFound, Problem

_SCOPE = "email template:dai:agents profile"
_LONGEST_FIELD = 4096
_NOBODY = "Invalid user credentials"


class GrantRefused(Problem):
    """A refusal by RFC 6749: a code for programs and a sentence for people."""

    def __init__(self, code: str, message: str, *, status: int = 400, challenges: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.challenges = challenges


router = APIRouter(tags=["OpenID Connect"])

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {
                        name: {"type": "string"}
                        for name in (
                            "grant_type",
                            "client_id",
                            "client_secret",
                            "username",
                            "password",
                            "scope",
                        )
                    },
                    "required": ["grant_type"],
                }
            }
        },
    }
}


@router.post(
    "/realms/{realm}/protocol/openid-connect/token",
    openapi_extra=_FORM,
    max_body_size=16_384,
    responses={
        401: {"description": "The credentials of the client or the user are wrong."},
        429: {"description": "Too many logins wait or failed; Retry-After says when to come back."},
    },
)
async def create_token(realm: str, request: Request, response: Response) -> dict[str, Any]:
    """Exchange credentials for an access token: `client_credentials`, or `password` by an API client."""
    state = request.app.state
    if realm != state.settings.realm:
        raise NotFound("There is no such realm.")
    fields = await _fields(request)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    run = state.passwords.in_turn if fields.get("grant_type") == "password" else run_in_threadpool
    authorization, address = request.headers.get("authorization", ""), client_address(request)
    granted: dict[str, Any] = await run(_grant, state, fields, authorization, address)
    return granted


async def _fields(request: Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise GrantRefused("invalid_request", "The body must be application/x-www-form-urlencoded.")
    try:
        async with request.form(max_files=0, max_fields=50) as form:
            pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str) and value]
    except HTTPException as error:
        raise GrantRefused("invalid_request", "The form cannot be read.") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise GrantRefused("invalid_request", "A parameter is given more than once.")
    if any(len(value) > _LONGEST_FIELD or "\0" in value for value in fields.values()):
        raise GrantRefused("invalid_request", "A parameter is too long or holds NUL.")
    return fields


def _grant(state: Any, fields: Mapping[str, str], authorization: str, address: str | None) -> dict[str, Any]:
    database: Database = state.database
    grant_type = fields.get("grant_type")
    if grant_type is None:
        raise GrantRefused("invalid_request", "Missing form parameter: grant_type")
    if grant_type not in {"client_credentials", "password"}:
        raise GrantRefused("unsupported_grant_type", "Unsupported grant_type")
    lifetime = state.settings.access_token_seconds
    with database.reading() as session:
        client = _client(session, fields, authorization)
    user = _user(state, client, fields, address) if grant_type == "password" else None
    if user is None:
        token, claims = token_for_client(state.tokens, client, lifetime=lifetime)
    else:
        with database.writing() as session:
            login = begin_login(session, user, lifetime=lifetime, client=client, scope=_SCOPE)
            if login is None:
                raise GrantRefused("invalid_grant", _NOBODY, status=401)
            token, claims = token_for_user(state.tokens, user, login, lifetime=lifetime, client=client)
    return {
        "access_token": token,
        "expires_in": lifetime,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "session_state": claims.values["sid"],
        "scope": _SCOPE,
    }


def _client(session: Session, fields: Mapping[str, str], authorization: str) -> tables.ApiClient:
    for client_id, secret in _credentials(fields, authorization):
        client = find_client(session, client_id, secret)
        if client is not None:
            return client
    raise GrantRefused(
        "invalid_client",
        "Invalid client or Invalid client credentials",
        status=401,
        challenges=bool(authorization),
    )


def _credentials(fields: Mapping[str, str], authorization: str) -> Iterator[tuple[str, str]]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return
        # RFC 6749 has both parts form-encoded, many clients send them raw, and DAI's ids hold colons.
        splits = [index for index, character in enumerate(text) if character == ":"][:8]
        for index in splits:
            yield unquote_plus(text[:index]), unquote_plus(text[index + 1 :])
            yield text[:index], text[index + 1 :]
    elif "client_id" in fields and "client_secret" in fields:
        yield fields["client_id"], fields["client_secret"]


def _user(
    state: Any, client: tables.ApiClient, fields: Mapping[str, str], address: str | None
) -> tables.User:
    if "password" not in client.grants:
        raise GrantRefused("unauthorized_client", "Client not allowed for direct access grants")
    username, password = fields.get("username", ""), fields.get("password", "")
    if not username or not password or len(password) > LONGEST:
        raise GrantRefused("invalid_request", "Missing parameter: username or password")
    user = log_in(state.database, state.passwords, username, password, address=address)
    if user is None:
        raise GrantRefused("invalid_grant", _NOBODY, status=401)
    return user
