"""Policies that take HTTP Basic beside a token, if a setting allows it."""

import base64
import binascii
import time
from functools import partial
from typing import Annotated

from fastapi import Depends, Request

from opendai import tables
from opendai.auth.addresses import client_address
from opendai.auth.callers import Caller, anyone, check_admin, check_user
from opendai.auth.logins import log_in
from opendai.credentials.tokens import Claims
from opendai.errors import Unauthorized
from opendai.parts import parts_of

_SETTLED = "opendai.caller_by_password"
_WRONG = "The username or the password is wrong."


async def _anyone_by_password(request: Request) -> Caller:
    scheme, _, pair = request.headers.get("authorization", "").partition(" ")
    parts = parts_of(request)
    if scheme.lower() != "basic" or not parts.settings.ai_server_basic_auth:
        return await anyone(request)
    settled: Caller | None = request.scope.get(_SETTLED)
    if settled is None:
        settled = request.scope[_SETTLED] = await _person_by_password(request, pair)
    return settled


async def _person_by_password(request: Request, pair: str) -> Caller:
    parts = parts_of(request)
    username, password = _username_and_password(pair)
    check = partial(
        log_in, parts.database, parts.passwords, username, password, address=client_address(request)
    )
    user: tables.User | None = await parts.passwords.in_turn(check)
    if user is None:
        raise Unauthorized(_WRONG)
    now = time.time()
    return Caller(
        kind="user",
        id=user.id,
        name=user.username,
        role=user.role.lower(),
        groups=frozenset(group.id for group in user.groups),
        # No token exists that could be described or revoked.
        claims=Claims(subject=f"user:{user.id}", jti="", sid="", issued=now, expires=now, values={}),
    )


def _username_and_password(pair: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(pair.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Unauthorized(_WRONG) from error
    username, _, password = text.partition(":")
    if "\0" in username:  # PostgreSQL refuses to look for it.
        raise Unauthorized(_WRONG)
    return username, password


async def _basic_user(request: Request) -> Caller:
    return check_user(await _anyone_by_password(request))


async def _basic_admin(request: Request) -> Caller:
    return check_admin(await _anyone_by_password(request))


BasicUser = Annotated[Caller, Depends(_basic_user)]
BasicAdmin = Annotated[Caller, Depends(_basic_admin)]
POLICIES = frozenset({_basic_user, _basic_admin})
