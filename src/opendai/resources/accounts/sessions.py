"""Logging in and out over /ai/auth, as DAI 5.2 publishes it."""

import time
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from opendai.auth.audit import Actor, Audit, Origin
from opendai.auth.callers import Caller, anyone, bearer_token
from opendai.auth.logins import begin_login, end_login, log_in, revoke_token, token_for_user
from opendai.errors import NotFound, Unauthorized
from opendai.parts import DatabaseDep, Parts, parts_of
from opendai.resources.accounts.users.schemas import UserOut
from opendai.wire.inputs import Input, Line, Output, Password, form_or_json, form_or_json_page
from opendai.wire.routing import Router

_REFUSED = "Token info not available."
TOO_MANY = {"description": "Too many logins wait or failed; Retry-After is the number of seconds to wait."}
_NOBODY = "The username or the password is wrong."


class LoginIn(Input):
    username: Line
    password: Password


class SessionOut(UserOut):
    """The published user with the token that the published name of this answer promises."""

    access_token: str
    expires_in: int
    token_type: str


class TokenUserOut(Output):
    username: str
    role: str
    is_service: bool


class PayloadOut(Output):
    exp: int
    iat: str
    iss: str
    rand: int
    user: TokenUserOut


class TokenOut(Output):
    access_token: str
    expires_in: int
    token_type: str
    payload: PayloadOut


async def _holder(request: Request) -> Caller:
    # A request without a token is 401 as everywhere; a token that is no longer valid is the published 404.
    bearer_token(request)
    try:
        return await anyone(request)
    except Unauthorized as error:
        raise NotFound(_REFUSED) from error


Holder = Annotated[Caller, Depends(_holder)]
router = Router(tags=["Auth"])
# Both read the token themselves, because a token that is refused is the published 404.
_OF_A_TOKEN: dict[str, Any] = {
    "openapi_extra": {"security": [{"bearer": []}]},
    "responses": {404: {"description": _REFUSED}},
}


@router.post(
    "/auth",
    openapi_extra=form_or_json_page(LoginIn),
    responses={404: {"description": _NOBODY}, 429: TOO_MANY},
)
async def create_session(request: Request, given: Annotated[LoginIn, form_or_json(LoginIn)]) -> SessionOut:
    """Log in with a username and a password. A failed login is 404, for any reason."""
    parts = parts_of(request)
    made: SessionOut = await parts.passwords.in_turn(_create_session, parts, given, Origin.of(request))
    return made


def _create_session(parts: Parts, given: LoginIn, origin: Origin) -> SessionOut:
    database = parts.database
    user = log_in(database, parts.passwords, given.username, given.password, address=origin.address)
    if user is None:
        raise NotFound(_NOBODY)
    lifetime = parts.settings.session_token_seconds
    with database.writing() as session:
        login = begin_login(session, user, lifetime=lifetime, origin=origin)
        if login is None:
            raise NotFound(_NOBODY)
        token, _ = token_for_user(parts.tokens, user, login, lifetime=lifetime)
    return SessionOut(
        **dict(UserOut.model_validate(user)),
        access_token=token,
        expires_in=lifetime,
        token_type="Bearer",  # noqa: S106 - the word that OAuth uses
    )


@router.get("/auth", **_OF_A_TOKEN)
async def get_session(request: Request, caller: Holder) -> TokenOut:
    """The content of the presented token."""
    claims = caller.claims
    return TokenOut(
        access_token=bearer_token(request),
        expires_in=max(int(claims.expires - time.time()), 0),
        token_type="Bearer",  # noqa: S106 - the word that OAuth uses
        payload=PayloadOut(
            exp=int(claims.expires),
            iat=datetime.fromtimestamp(claims.issued, UTC).isoformat(),
            iss=str(claims.values["iss"]),
            rand=int(claims.jti.replace("-", "")[:8], 16),
            user=TokenUserOut(username=caller.name, role=caller.role, is_service=caller.kind == "client"),
        ),
    )


@router.delete("/auth", **_OF_A_TOKEN)
async def delete_session(request: Request, caller: Holder, database: DatabaseDep) -> dict[str, Any]:
    """Log out: the presented token is refused from now on."""
    await database.write(partial(_end_session, caller=caller, actor=Actor.asking(caller, request)))
    return {}


def _end_session(session: Session, *, caller: Caller, actor: Actor) -> None:
    revoke_token(session, caller.claims)
    end_login(session, caller.claims.sid)
    Audit(session, actor).record("logout", f"{caller.kind}:{caller.id}")
