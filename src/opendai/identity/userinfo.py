"""The userinfo endpoint of OpenID Connect: the holder of an access token."""

from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, bearer_token, identify
from opendai.errors import Unauthorized
from opendai.identity.realms import IN_THIS_REALM
from opendai.identity.requests import (
    ENDPOINTS,
    LARGEST_FORM,
    NOT_STORED,
    GrantRefused,
    describe_form,
    is_form,
    read_form,
)
from opendai.parts import DatabaseDep, PartsDep
from opendai.wire.routing import Router


class UserInfoOut(BaseModel):
    """A person; a program has only `sub` and `preferred_username`."""

    sub: str
    preferred_username: str
    name: str | None = None
    groups: list[str] | None = None
    roles: list[str] | None = None


async def _holder(request: Request, parts: PartsDep) -> Caller:
    token = await _token(request)
    try:
        return await parts.database.look_up(lambda connection: identify(connection, parts.tokens, token))
    except Unauthorized as error:
        raise _refused(error, 'Bearer error="invalid_token"') from error


async def _token(request: Request) -> str:
    """The token in the header or in the form. RFC 6750 allows one of the two."""
    fields = await read_form(request) if request.method == "POST" and is_form(request) else {}
    if "access_token" not in fields:
        try:
            return bearer_token(request)
        except Unauthorized as error:
            raise _refused(error, "Bearer") from error
    if "authorization" in request.headers:
        raise GrantRefused("invalid_request", "The request contains two tokens.")
    return fields["access_token"]


def _refused(error: Unauthorized, challenge: str) -> GrantRefused:
    return GrantRefused("invalid_token", error.message, status=401, challenge=challenge)


Holder = Annotated[Caller, Depends(_holder)]
router = Router(tags=["OpenID Connect"])
_SECURITY: dict[str, Any] = {"security": [{"bearer": []}]}


@router.get(
    f"{ENDPOINTS}/userinfo",
    dependencies=[Depends(_holder), IN_THIS_REALM, NOT_STORED],
    openapi_extra=_SECURITY,
    response_model_exclude_none=True,
)
async def get_userinfo(holder: Holder, database: DatabaseDep) -> UserInfoOut:
    """Show the holder of the access token, with their current role and groups."""
    return await database.read(partial(_describe, holder=holder))


@router.post(
    f"{ENDPOINTS}/userinfo",
    dependencies=[Depends(_holder), IN_THIS_REALM, NOT_STORED],
    openapi_extra={**_SECURITY, **describe_form("access_token")},
    max_body_size=LARGEST_FORM,
    response_model_exclude_none=True,
)
async def ask_userinfo(holder: Holder, database: DatabaseDep) -> UserInfoOut:
    """Show the holder of an access token that is sent in the header or in a form."""
    return await database.read(partial(_describe, holder=holder))


def _describe(session: Session, holder: Caller) -> UserInfoOut:
    subject = holder.claims.subject
    if holder.kind == "client":
        return UserInfoOut(
            sub=subject, preferred_username=f"service-account-{holder.claims.values['client_id']}"
        )
    return UserInfoOut(
        sub=subject,
        preferred_username=holder.name,
        name=holder.name,
        groups=_group_names(session, holder),
        roles=[] if holder.role == "none" else [holder.role],
    )


def _group_names(session: Session, holder: Caller) -> list[str]:
    group = tables.Group
    names = select(group.name).where(group.id.in_(holder.groups)).order_by(group.name)
    return list(session.scalars(names))
