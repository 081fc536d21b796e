"""The caller of a request, settled once, and the policies that a route can name in its signature."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import ColumnElement, Connection, bindparam, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from opendai import tables
from opendai.credentials.tokens import REFUSED, Claims, Tokens
from opendai.errors import Forbidden, Unauthorized
from opendai.parts import parts_of

_SETTLED = "opendai.caller"
_NO_TOKEN = "A bearer token is needed."  # noqa: S105 - a sentence


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
        """The condition that the group of a row is one of the caller's. Other rows do not exist for the caller."""
        return true() if self.is_admin else group.in_(self.groups)

    def is_in(self, group_id: int) -> bool:
        return self.is_admin or group_id in self.groups


def bearer_token(request: Request) -> str:
    """The token of the Authorization header, with Bearer in any case; Unauthorized if there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized(_NO_TOKEN)
    return token.strip()


def identify(connection: Connection | Session, tokens: Tokens, token: str) -> Caller:
    """The caller of a token of ours; Unauthorized for every other text, always in the same words."""
    claims = tokens.read(token, now=time.time())
    kind, _, number = claims.subject.partition(":")
    if number.isascii() and number.isdigit() and len(number) < 19:
        if kind == "user":
            return _person(connection, int(number), claims)
        if kind == "client":
            return _program(connection, int(number), claims)
    raise Unauthorized(REFUSED)


def _person(connection: Connection | Session, number: int, claims: Claims) -> Caller:
    rows = connection.execute(_PERSON, {"id": number, "jti": claims.jti, "sid": claims.sid})
    return _user_caller(rows.all(), claims)


def _outsider(connection: Connection, claims: Claims) -> Caller:
    rows = connection.execute(_OUTSIDER, {"subject": claims.subject, "jti": claims.jti})
    return _user_caller(rows.all(), claims)


def _user_caller(rows: Sequence[Any], claims: Claims) -> Caller:
    """The user whom the rows show, one row for each group."""
    if not rows:
        raise Unauthorized(REFUSED)
    return Caller(
        kind="user",
        id=rows[0].id,
        name=rows[0].username,
        role=rows[0].role.lower(),
        groups=frozenset(row.group_id for row in rows if row.group_id is not None),
        claims=claims,
    )


def _program(connection: Connection | Session, number: int, claims: Claims) -> Caller:
    row = connection.execute(_PROGRAM, {"id": number, "jti": claims.jti}).one_or_none()
    if row is None or claims.values.get("gen") != row.generation:
        raise Unauthorized(REFUSED)
    return Caller(kind="client", id=number, name=row.name, role=row.role, groups=frozenset(), claims=claims)


# Every request runs one of these; building it each time would take longer than running it.
_is_not_revoked = ~select(tables.RevokedToken.jti).where(tables.RevokedToken.jti == bindparam("jti")).exists()
_is_logged_in = (
    select(tables.Login.id)
    .where(tables.Login.id == bindparam("sid"), tables.Login.user_id == tables.User.id)
    .exists()
)
_USER = select(tables.User.id, tables.User.username, tables.User.role, tables.Membership.group_id).outerjoin(
    tables.Membership, tables.Membership.user_id == tables.User.id
)
_PERSON = _USER.where(tables.User.id == bindparam("id"), _is_logged_in, _is_not_revoked)
_OUTSIDER = _USER.where(tables.User.outside_subject == bindparam("subject"), _is_not_revoked)
_PROGRAM = select(tables.ApiClient.name, tables.ApiClient.role, tables.ApiClient.generation).where(
    tables.ApiClient.id == bindparam("id"),
    tables.ApiClient.revoked_at.is_(None),
    # A program through which people log in acts for them, never for itself.
    tables.ApiClient.role != "login",
    _is_not_revoked,
)


async def anyone(request: Request) -> Caller:
    """The caller of a request, settled once and then kept in the request."""
    settled: Caller | None = request.scope.get(_SETTLED)
    if settled is None:
        settled = request.scope[_SETTLED] = await _settle(request)
    return settled


async def _settle(request: Request) -> Caller:
    token, parts = bearer_token(request), parts_of(request)
    known: Caller | None = parts.callers.find(token)
    if known is not None and known.claims.expires > time.time():
        return known
    rights = parts.callers.state
    if parts.outside is not None and parts.outside.is_named_in(token):
        # In a thread, because it may have to ask the provider for its keys.
        claims = await run_in_threadpool(parts.outside.read, token, now=time.time())
        caller = await parts.database.look_up(lambda connection: _outsider(connection, claims))
    else:
        caller = await parts.database.look_up(lambda connection: identify(connection, parts.tokens, token))
    parts.callers.keep(token, caller, state=rights)
    return caller


async def user_only(request: Request) -> Caller:
    return check_user(await anyone(request))


async def admin_only(request: Request) -> Caller:
    return check_admin(await anyone(request))


async def _admin_person(request: Request) -> Caller:
    caller = check_admin(await anyone(request))
    # Otherwise a program could make programs that outlive the revocation of its own secret.
    if caller.kind != "user":
        raise Forbidden("Only a person who is an administrator may do this.")
    return caller


async def _agent(request: Request) -> Caller:
    caller = await anyone(request)
    if caller.kind != "client" or caller.role == "login":
        raise Forbidden("This is for the API clients of agents.")
    return caller


async def _reporter(request: Request) -> Caller:
    caller = await anyone(request)
    if caller.role in {"none", "login"}:
        raise Forbidden("This needs a user's or an agent's rights.")
    return caller


def check_user(caller: Caller) -> Caller:
    """The caller; Forbidden without the rights of a user."""
    if caller.role not in {"user", "admin"}:
        raise Forbidden("This needs a user's rights.")
    return caller


def check_admin(caller: Caller) -> Caller:
    """The caller; Forbidden without the rights of an administrator."""
    if not caller.is_admin:
        raise Forbidden("This needs an administrator's rights.")
    return caller


# The policies. Every route names one of them or is listed as open; a test enumerates them all.
Anyone = Annotated[Caller, Depends(anyone)]
User = Annotated[Caller, Depends(user_only)]
Admin = Annotated[Caller, Depends(admin_only)]
AdminPerson = Annotated[Caller, Depends(_admin_person)]
AgentClient = Annotated[Caller, Depends(_agent)]
Reporter = Annotated[Caller, Depends(_reporter)]
POLICIES = frozenset({anyone, user_only, admin_only, _admin_person, _agent, _reporter})
