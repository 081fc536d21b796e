"""Token introspection (RFC 7662): the content of a token and whether it is valid now."""

from fastapi import Request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import identify
from opendai.auth.logins import roles_of
from opendai.errors import Unauthorized
from opendai.identity.clients import CLIENT_FIELDS, client_with_secret
from opendai.identity.realms import RealmDep
from opendai.identity.requests import (
    ENDPOINTS,
    LARGEST_FORM,
    NOT_STORED,
    Fields,
    GrantRefused,
    describe_form,
)
from opendai.identity.token.refreshing import find_standing
from opendai.parts import Parts, PartsDep
from opendai.wire.routing import Router


class RolesOut(BaseModel):
    roles: list[str]


class IntrospectionOut(BaseModel):
    """For a token that is not valid, `active` is the only field."""

    active: bool
    sub: str | None = None
    username: str | None = None
    client_id: str | None = None
    azp: str | None = None
    exp: int | None = None
    iat: int | None = None
    iss: str | None = None
    aud: str | None = None
    jti: str | None = None
    typ: str | None = None
    token_type: str | None = None
    scope: str | None = None
    sid: str | None = None
    realm_access: RolesOut | None = None


router = Router(tags=["OpenID Connect"])


@router.post(
    f"{ENDPOINTS}/token/introspect",
    dependencies=[NOT_STORED],
    openapi_extra=describe_form("token", "token_type_hint", *CLIENT_FIELDS, required=("token",)),
    max_body_size=LARGEST_FORM,
    response_model_exclude_none=True,
    responses={401: {"description": "The credentials of the client are wrong."}},
)
def introspect_token(request: Request, realm: RealmDep, parts: PartsDep, fields: Fields) -> IntrospectionOut:
    """Show whether a token is valid, and its content. A client may ask about its own refresh tokens only."""
    with parts.database.reading() as session:
        client = client_with_secret(session, request, realm, fields)
        if "token" not in fields:
            raise GrantRefused("invalid_request", "Missing parameter: token")
        said = _of_refresh_token(session, parts, fields["token"], client)
        said = said or _of_access_token(session, parts, fields["token"])
    return said or IntrospectionOut(active=False)


def _of_refresh_token(
    session: Session, parts: Parts, text: str, client: tables.ApiClient
) -> IntrospectionOut | None:
    token = parts.refresh_tokens.read(text, client)
    standing = find_standing(session, token, client) if token else None
    if standing is None:
        return None
    login, user = standing.login, standing.user
    return IntrospectionOut(
        active=True,
        sub=f"user:{user.id}",
        username=user.username,
        client_id=client.client_id,
        azp=client.client_id,
        exp=int(login.expires),
        iat=int(login.rotated),
        iss=parts.tokens.issuer,
        aud=parts.tokens.issuer,
        typ="Refresh",
        token_type="Refresh",  # noqa: S106 - a word
        scope=login.scope,
        sid=login.id,
        realm_access=RolesOut(roles=roles_of(user.role)),
    )


def _of_access_token(session: Session, parts: Parts, text: str) -> IntrospectionOut | None:
    try:
        caller = identify(session, parts.tokens, text)
    except Unauthorized:
        return None
    said = caller.claims.values
    return IntrospectionOut(
        active=True,
        sub=caller.claims.subject,
        username=caller.name if caller.kind == "user" else f"service-account-{said['client_id']}",
        client_id=said.get("azp"),
        azp=said.get("azp"),
        exp=int(caller.claims.expires),
        iat=int(caller.claims.issued),
        iss=said["iss"],
        aud=said["aud"],
        jti=caller.claims.jti,
        typ=said["typ"],
        token_type=said["typ"],
        scope=said.get("scope"),
        sid=caller.claims.sid,
        realm_access=RolesOut(roles=roles_of(caller.role)),
    )
