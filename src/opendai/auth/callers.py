"""Who is asking, settled once per request, and the policies that a route can name in its signature."""

import base64
import binascii
import time
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import ColumnElement, bindparam, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from opendai import tables
from opendai.auth.addresses import client_address
from opendai.auth.logins import log_in
from opendai.auth.tokens import Claims, Tokens
from opendai.database import Database
from opendai.errors import Forbidden, Unauthorized

_NO_TOKEN = "A bearer token is needed."  # noqa: S105 - a sentence
_REFUSED = "The token is invalid or has timed out."
_WRONG = "The username or the password is wrong."


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a program, as a value: role and groups are the database's, not the token's.

    `role` is none, user, admin, agent, or login for a program without rights of its own. `groups` are the ids
    whose models the caller sees; an administrator sees all, whatever the groups.
    """

    kind: str
    id: int
    name: str
    role: str
    groups: frozenset[int]
    claims: Claims

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    @property
    def is_agent_client(self) -> bool:
        return self.role == "agent"

    def sees(self, group: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """The condition that a row's group is one of the caller's: what is not seen does not exist for them."""
        return true() if self.is_admin else group.in_(self.groups)

    def is_in(self, group_id: int) -> bool:
        return self.is_admin or group_id in self.groups


def bearer_token(request: Request) -> str:
    """The token of the Authorization header, in any case of the word; Unauthorized when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized(_NO_TOKEN)
    return token.strip()


def identify(session: Session, tokens: Tokens, token: str) -> Caller:
    """The caller that a token stands for; Unauthorized for everything else, always in the same words."""
    claims = tokens.read(token, now=time.time())
    kind, _, number = claims.subject.partition(":")
    if number.isascii() and number.isdigit() and len(number) < 19:
        if kind == "user":
            return _person(session, int(number), claims)
        if kind == "client":
            return _program(session, int(number), claims)
    raise Unauthorized(_REFUSED)


def _person(session: Session, number: int, claims: Claims) -> Caller:
    rows = session.execute(_PERSON, {"id": number, "jti": claims.jti, "sid": claims.sid}).all()
    if not rows:
        raise Unauthorized(_REFUSED)
    return Caller(
        kind="user",
        id=number,
        name=rows[0].username,
        role=rows[0].role.lower(),
        groups=frozenset(row.group_id for row in rows if row.group_id is not None),
        claims=claims,
    )


def _program(session: Session, number: int, claims: Claims) -> Caller:
    row = session.execute(_PROGRAM, {"id": number, "jti": claims.jti}).one_or_none()
    if row is None or claims.values.get("gen") != row.generation:
        raise Unauthorized(_REFUSED)
    return Caller(kind="client", id=number, name=row.name, role=row.role, groups=frozenset(), claims=claims)


# Every request asks one of these two; built anew each time they would cost more than they take to run.
_is_not_revoked = ~select(tables.RevokedToken.jti).where(tables.RevokedToken.jti == bindparam("jti")).exists()
_is_logged_in = (
    select(tables.Login.id)
    .where(tables.Login.id == bindparam("sid"), tables.Login.user_id == tables.User.id)
    .exists()
)
_PERSON = (
    select(tables.User.username, tables.User.role, tables.Membership.group_id)
    .outerjoin(tables.Membership, tables.Membership.user_id == tables.User.id)
    .where(tables.User.id == bindparam("id"), _is_logged_in, _is_not_revoked)
)
_PROGRAM = select(tables.ApiClient.name, tables.ApiClient.role, tables.ApiClient.generation).where(
    tables.ApiClient.id == bindparam("id"), tables.ApiClient.revoked_at.is_(None), _is_not_revoked
)


def _anyone(request: Request) -> Caller:
    token = bearer_token(request)
    database: Database = request.app.state.database
    with database.reading() as session:
        return identify(session, request.app.state.tokens, token)


async def _anyone_by_password(request: Request) -> Caller:
    scheme, _, pair = request.headers.get("authorization", "").partition(" ")
    state = request.app.state
    if scheme.lower() != "basic" or not state.settings.ai_server_basic_auth:
        return await run_in_threadpool(_anyone, request)
    username, password = _username_and_password(pair)
    check = partial(
        log_in, state.database, state.passwords, username, password, address=client_address(request)
    )
    user: tables.User | None = await state.passwords.in_turn(check)
    if user is None:
        raise Unauthorized(_WRONG)
    now = time.time()
    return Caller(
        kind="user",
        id=user.id,
        name=user.username,
        role=user.role.lower(),
        groups=frozenset(group.id for group in user.groups),
        # There is no token that could be asked about or ended.
        claims=Claims(subject=f"user:{user.id}", jti="", sid="", issued=now, expires=now, values={}),
    )


def _username_and_password(pair: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(pair.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Unauthorized(_WRONG) from error
    username, _, password = text.partition(":")
    if "\0" in username:  # PostgreSQL would not even look for it.
        raise Unauthorized(_WRONG)
    return username, password


async def _user(caller: Annotated[Caller, Depends(_anyone)]) -> Caller:
    if caller.role not in {"user", "admin"}:
        raise Forbidden("This needs a user's rights.")
    return caller


async def _admin(caller: Annotated[Caller, Depends(_anyone)]) -> Caller:
    if not caller.is_admin:
        raise Forbidden("This needs an administrator's rights.")
    return caller


async def _agent(caller: Annotated[Caller, Depends(_anyone)]) -> Caller:
    if caller.kind != "client" or caller.role == "login":
        raise Forbidden("This is for the API clients of agents.")
    return caller


async def _reporter(caller: Annotated[Caller, Depends(_anyone)]) -> Caller:
    if caller.role in {"none", "login"}:
        raise Forbidden("This needs a user's or an agent's rights.")
    return caller


async def _basic_user(caller: Annotated[Caller, Depends(_anyone_by_password)]) -> Caller:
    return await _user(caller)


async def _basic_admin(caller: Annotated[Caller, Depends(_anyone_by_password)]) -> Caller:
    return await _admin(caller)


# The policies. Every route names one of them or is listed as open; a test enumerates them all.
Anyone = Annotated[Caller, Depends(_anyone)]
User = Annotated[Caller, Depends(_user)]
Admin = Annotated[Caller, Depends(_admin)]
AgentClient = Annotated[Caller, Depends(_agent)]
Reporter = Annotated[Caller, Depends(_reporter)]
# These take HTTP Basic beside a token, where a setting says so.
BasicUser = Annotated[Caller, Depends(_basic_user)]
BasicAdmin = Annotated[Caller, Depends(_basic_admin)]
POLICIES = frozenset({_anyone, _user, _admin, _agent, _reporter, _basic_user, _basic_admin})
