"""Token revocation (RFC 7009)."""

import time

from fastapi import Request, Response
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.audit import Actor, Audit, Origin
from opendai.auth.logins import end_login, revoke_token
from opendai.errors import Unauthorized
from opendai.identity.clients import CLIENT_FIELDS, client_asking
from opendai.identity.realms import RealmDep
from opendai.identity.requests import ENDPOINTS, LARGEST_FORM, Fields, GrantRefused, describe_form
from opendai.parts import Parts, PartsDep
from opendai.wire.routing import Router

router = Router(tags=["OpenID Connect"])


@router.post(
    f"{ENDPOINTS}/revoke",
    openapi_extra=describe_form("token", "token_type_hint", *CLIENT_FIELDS, required=("token",)),
    max_body_size=LARGEST_FORM,
    response_class=Response,
    responses={401: {"description": "The credentials of the client are wrong."}},
)
def revoke(request: Request, realm: RealmDep, parts: PartsDep, fields: Fields) -> Response:
    """Revoke a token of the client; a refresh token ends its login too. Any other text is ignored."""
    with parts.database.reading() as session:
        client = client_asking(session, request, realm, fields)
    if "token" not in fields:
        raise GrantRefused("invalid_request", "Missing parameter: token")
    with parts.database.writing() as session:
        audit = Audit(session, Actor("client", client.name, Origin.of(request)))
        _end(session, parts, fields["token"], client, audit)
    return Response()


def _end(session: Session, parts: Parts, text: str, client: tables.ApiClient, audit: Audit) -> None:
    refresh_token = parts.refresh_tokens.read(text, client)
    if refresh_token is not None:
        user_id = end_login(session, refresh_token.login_id)
        if user_id is not None:
            audit.record("logout", f"user:{user_id}", client=client.client_id)
        return
    try:
        claims = parts.tokens.read(text, now=time.time())
    except Unauthorized:
        return
    if claims.values.get("azp") == client.client_id and revoke_token(session, claims):
        audit.record("token.revoke", claims.subject, client=client.client_id)
