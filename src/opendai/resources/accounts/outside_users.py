"""Users of an outside identity provider: created at their first token, and changed as later tokens demand."""

import uuid
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
from opendai.resources.accounts.arrivals import Arrival, read_arrival
from opendai.resources.accounts.groups import is_taken
from opendai.resources.accounts.users.repository import UserRepository
from opendai.resources.administration.licenses.limits import check_users
from opendai.settings import Settings

_LONGEST_ACTOR = 255


class OutsideUserRepository:
    def __init__(self, session: Session, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._audit = Audit(session, Actor("provider", settings.oidc_issuer[:_LONGEST_ACTOR]))

    def refuse_stranger(self, arrival: Arrival) -> None:
        """Raise Forbidden for a person who is not a user yet and is not allowed to become one."""
        user = tables.User
        # The name comes first: another request may create this person between the two queries.
        is_name_taken = is_taken(self._session, arrival.username)
        if self._session.scalar(select(user.id).where(user.outside_subject == arrival.subject)) is not None:
            return
        if not self._settings.oidc_create_users:
            raise Forbidden(f'There is no user "{arrival.username}", and the settings allow no new users.')
        if is_name_taken:
            raise _taken(arrival)

    def create_or_update(self, arrival: Arrival) -> None:
        """Create the user, or give the user the role and the groups of the token. Conflict for a taken name."""
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
        """Store the token's age. False if a newer token was seen, whose role and groups are to stay."""
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
        # The last administrator is no exception: a person whom the provider dismissed must not stay one.
        user.role = arrival.role
        if arrival.groups is not None:
            own = [group for group in user.groups if group.name == user.username]
            user.groups = [*own, *self._groups(arrival.groups)]
        self._session.flush()
        if _standing(user) != before:
            self._audit.record("user.update", f"user:{user.id}", **_standing(user))

    def _groups(self, names: frozenset[str]) -> list[tables.Group]:
        """The groups with these names, without users' own groups: a claim must not open another user's models."""
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
    """The provider that the settings name, if any. ValueError for an address that is not allowed."""
    if not settings.oidc_issuer:
        return None
    # An operator chose these two hosts, so any address is allowed. A host that the provider names must be public.
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
    """Create or update the user of a new token; Forbidden if the user is not allowed."""
    arrival = read_arrival(settings, claims)
    with database.reading() as session:
        OutsideUserRepository(session, settings).refuse_stranger(arrival)
    try:
        try:
            _write(database, settings, arrival)
        except Conflict:
            # Either another request of this person has just created the user, or the name is another user's.
            _write(database, settings, arrival)
    except Conflict as error:
        raise _taken(arrival) from error
    except PaymentRequired as error:
        raise Forbidden(error.message) from error


def _write(database: Database, settings: Settings, arrival: Arrival) -> None:
    with database.writing() as session:
        OutsideUserRepository(session, settings).create_or_update(arrival)


def _taken(arrival: Arrival) -> Forbidden:
    return Forbidden(
        f'"{arrival.username}" is the name of a user or a group of this server, which an outside identity provider '
        "cannot take over."
    )
