"""People whom an outside identity provider vouches for: made when they first come, kept as their tokens say."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, selectinload

from opendai import tables
from opendai.auth.audit import Actor, Audit
from opendai.credentials.outside import Outside
from opendai.credentials.provider_keys import ProviderKeys
from opendai.credentials.tokens import Claims
from opendai.database import Database
from opendai.errors import Conflict, Forbidden, PaymentRequired
from opendai.outbound.addresses import Allowed
from opendai.outbound.http import Outbound
from opendai.outbound.targets import Target
from opendai.resources.accounts.groups import is_taken
from opendai.resources.accounts.users.repository import UserRepository
from opendai.resources.administration.licenses.limits import check_users
from opendai.settings import Settings

_LONGEST_ACTOR = 255


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a token says of its person. `groups` is None where it says nothing of groups."""

    subject: str
    username: str
    role: str
    groups: frozenset[str] | None
    issued: float
    expires: float


class OutsideUserRepository:
    def __init__(self, session: Session, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._audit = Audit(session, Actor("provider", settings.oidc_issuer[:_LONGEST_ACTOR]))

    def refuse_stranger(self, arrival: Arrival) -> None:
        """Raise Forbidden for somebody who is not here yet and cannot be made."""
        user = tables.User
        # In this order: a name that this very person took a moment ago is not somebody else's.
        is_name_taken = is_taken(self._session, arrival.username)
        if self._session.scalar(select(user.id).where(user.outside_subject == arrival.subject)) is not None:
            return
        if not self._settings.oidc_create_users:
            raise Forbidden(
                f'There is no user "{arrival.username}" here, and the settings let nobody new in.'
            )
        if is_name_taken:
            raise _taken(arrival)

    def settle(self, arrival: Arrival) -> None:
        """Make the user, or bring role and groups up to what the token says. Raises Conflict for a taken name."""
        user = self._session.scalar(
            select(tables.User)
            .where(tables.User.outside_subject == arrival.subject)
            .options(selectinload(tables.User.groups))
            .with_for_update()
        )
        if user is None:
            groups = [group.name for group in self._groups(arrival.groups or frozenset())]
            user = UserRepository(self._session).add(
                arrival.username,
                None,
                self._audit,
                role=arrival.role,
                groups=groups,
                outside_subject=arrival.subject,
            )
            self._note(user, arrival)
        elif self._note(user, arrival):
            self._follow(user, arrival)

    def _note(self, user: tables.User, arrival: Arrival) -> bool:
        """Write down the token's age, and whether it is the newest: an older one has nothing to say any more."""
        key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._settings.oidc_issuer} {arrival.subject}"))
        login = self._session.get(tables.Login, key)
        if login is None:
            login = tables.Login(
                id=key, user_id=user.id, authenticated=arrival.issued, expires=arrival.expires
            )
            self._session.add(login)
        elif login.authenticated > arrival.issued:
            return False
        login.authenticated = arrival.issued
        login.expires = max(login.expires, arrival.expires)
        return True

    def _follow(self, user: tables.User, arrival: Arrival) -> None:
        if user.role == "None" and arrival.role != "None":
            check_users(self._session)
        before = _standing(user)
        # Also for the last administrator: whoever the provider has dismissed must not stay one here.
        user.role = arrival.role
        if arrival.groups is not None:
            own = [group for group in user.groups if group.name == user.username]
            user.groups = [*own, *self._groups(arrival.groups)]
        self._session.flush()
        if _standing(user) != before:
            self._audit.record("user.update", f"user:{user.id}", **_standing(user))

    def _groups(self, names: frozenset[str]) -> list[tables.Group]:
        """The groups of these names that are here, except people's own: a claim is no key to somebody's models."""
        group = tables.Group
        is_own = exists().where(tables.User.username == group.name)
        return list(
            self._session.scalars(
                select(group)
                .where(group.name.in_(names), ~is_own)
                .order_by(group.id)
                .with_for_update(read=True, key_share=True)
            )
        )


def _standing(user: tables.User) -> dict[str, Any]:
    return {"role": user.role, "groups": sorted(group.name for group in user.groups)}


def outside_provider(settings: Settings, database: Database) -> Outside | None:
    """The provider that the settings name, if any. ValueError for an address that could never be called."""
    if not settings.oidc_issuer:
        return None
    # An operator named these two hosts, so they may be anywhere; a host that only the provider names may not.
    named = [url for url in (settings.oidc_issuer, settings.oidc_jwks_url) if url]
    outbound = Outbound(allowed=Allowed(hosts=frozenset(_host(url) for url in named)))
    return Outside(
        ProviderKeys(outbound, issuer=settings.oidc_issuer, jwks_url=settings.oidc_jwks_url),
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        settle=lambda claims: settle(database, settings, claims),
    )


def _host(url: str) -> str:
    try:
        return Target.parse(url).host
    except ValueError as error:
        raise ValueError(f"The address {url} of the identity provider {error}.") from error


def settle(database: Database, settings: Settings, claims: Claims) -> None:
    """Have the person of a new token here as the token says, or raise Forbidden."""
    arrival = read_arrival(settings, claims)
    with database.reading() as session:
        OutsideUserRepository(session, settings).refuse_stranger(arrival)
    try:
        try:
            _write(database, settings, arrival)
        except Conflict:
            # Of two first requests of one person the other has made the user; else the name is somebody's.
            _write(database, settings, arrival)
    except Conflict as error:
        raise _taken(arrival) from error
    except PaymentRequired as error:
        raise Forbidden(error.message) from error


def _write(database: Database, settings: Settings, arrival: Arrival) -> None:
    with database.writing() as session:
        OutsideUserRepository(session, settings).settle(arrival)


def read_arrival(settings: Settings, claims: Claims) -> Arrival:
    """What a verified token says, by the claims that the settings name. Forbidden if it names nobody."""
    username = _claim(claims.values, settings.oidc_username_claim)
    if not isinstance(username, str) or not _is_name(username):
        raise Forbidden(f"The token has no {settings.oidc_username_claim} that can be a username.")
    roles = _texts(_claim(claims.values, settings.oidc_roles_claim)) or frozenset()
    groups = _texts(_claim(claims.values, settings.oidc_groups_claim))
    role = _role(settings, roles)
    return Arrival(claims.subject, username, role, groups, claims.issued, claims.expires)


def _role(settings: Settings, roles: frozenset[str]) -> str:
    if settings.oidc_admin_role in roles:
        return "Admin"
    return "User" if settings.oidc_user_role in roles else "None"


def _claim(values: Mapping[str, Any], path: str) -> Any:
    """A claim of this name, else what a path with dots leads to; None where there is nothing."""
    if path in values:
        return values[path]
    found: Any = values
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _texts(value: object) -> frozenset[str] | None:
    """The names in a claim, one or a list; Keycloak writes groups as paths ("/testers")."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list):
        return None
    names = [text.removeprefix("/") for text in given if isinstance(text, str)]
    return frozenset(name for name in names if _is_name(name))


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= 255 and text.isprintable()


def _taken(arrival: Arrival) -> Forbidden:
    return Forbidden(
        f'"{arrival.username}" is the name of a user or a group of this server, which an outside identity provider '
        "cannot take over."
    )
