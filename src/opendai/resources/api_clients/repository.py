"""API clients: programs with an id and a secret. Of the secret only its hash is kept."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.audit import Audit
from opendai.auth.logins import hash_secret
from opendai.errors import Conflict, Fault, Invalid, NotFound
from opendai.tables.columns import now
from opendai.wire.inputs import Input, Line, Text
from opendai.wire.redirect_uris import RedirectUris

ROLES = ("admin", "agent", "login")
DEFAULT_GRANTS = {
    "admin": ("client_credentials", "password"),
    "agent": ("client_credentials",),
    "login": ("authorization_code", "refresh_token"),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")
_CLIENT_ID = re.compile(r"[\x21-\x7e]{1,255}")
# A program in a browser can keep no secret, so it can prove nothing by itself.
_GRANTS_OF_PUBLIC = {"authorization_code", "refresh_token"}


def _is_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(
            "must be 1 to 100 letters, digits, spaces, dots, dashes and underscores, a letter or digit first"
        )
    return value


def _is_client_id(value: str) -> str:
    if not _CLIENT_ID.fullmatch(value):
        raise ValueError("must be 1 to 255 printable ASCII characters without spaces")
    return value


ClientName = Annotated[Line, AfterValidator(_is_name)]
ClientId = Annotated[str, AfterValidator(_is_client_id)]
Description = Annotated[Text, Field(max_length=1000)]
Role = Literal["admin", "agent", "login"]
Grant = Literal["client_credentials", "password", "authorization_code", "refresh_token"]


class ApiClientIn(Input):
    """Only the name is needed. Without an id one is made from the name; without grants it gets those of its role.

    A public client has no secret: it is a program through which people log in, and which cannot keep one.
    """

    name: ClientName
    description: Description = ""
    role: Role = "admin"
    grants: Annotated[list[Grant], Field(min_length=1, max_length=10)] | None = None
    client_id: ClientId | None = None
    redirect_uris: RedirectUris = []
    is_public: bool = False


class ApiClientPatch(Input):
    """What may change; a field that is left out or null stays as it is."""

    name: ClientName | None = None
    description: Description | None = None
    redirect_uris: RedirectUris | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an API client logs in with; the secret is shown this once, and is empty where there is none."""

    client_id: str
    client_secret: str = field(repr=False)


class ApiClientRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, number: int) -> tables.ApiClient:
        client = self._session.get(tables.ApiClient, number)
        if client is None:
            raise NotFound(f"There is no API client {number}.")
        return client

    def named(self, name: str) -> tables.ApiClient:
        client = self._find_named(name)
        if client is None:
            raise NotFound(f"There is no API client {name}.")
        return client

    def search(self, *, offset: int = 0, limit: int | None = None) -> list[tables.ApiClient]:
        query = select(tables.ApiClient).order_by(tables.ApiClient.id).offset(offset).limit(limit)
        return list(self._session.scalars(query))

    def count(self) -> int:
        return self._session.scalar(select(func.count(tables.ApiClient.id))) or 0

    def add(self, given: ApiClientIn, audit: Audit) -> tuple[tables.ApiClient, Credentials]:
        grants = _grants(given)
        self._refuse_taken(given.name, given.client_id)
        secret = "" if given.is_public else _new_secret()
        client = tables.ApiClient(
            # Without colons: some libraries send the id raw inside Basic, where the first colon ends it.
            client_id=given.client_id or f"{given.name.lower().replace(' ', '-')}-{secrets.token_hex(4)}",
            name=given.name,
            description=given.description,
            role=given.role,
            grants=grants,
            redirect_uris=given.redirect_uris,
            secret_sha256=hash_secret(secret) if secret else None,
        )
        self._session.add(client)
        self._flush()
        audit.record("api_client.create", _target(client), is_public=given.is_public, **_facts(client))
        return client, Credentials(client.client_id, secret)

    def change(self, number: int, given: ApiClientPatch, audit: Audit) -> tables.ApiClient:
        client = self._lock(number)
        before = _facts(client)
        if given.name is not None and given.name != client.name:
            self._refuse_taken(given.name, None)
            client.name = given.name
        if given.description is not None:
            client.description = given.description
        if given.redirect_uris is not None:
            client.redirect_uris = given.redirect_uris
        self._flush()
        after = _facts(client)
        changes = {
            name: {"from": before[name], "to": after[name]} for name in after if before[name] != after[name]
        }
        if changes:
            audit.record("api_client.update", _target(client), **changes)
        return client

    def regenerate(self, number: int, audit: Audit) -> tuple[tables.ApiClient, Credentials]:
        """A new secret, also for a client that was revoked; the old one and all tokens end."""
        client = self._lock(number)
        if client.secret_sha256 is None:
            raise Invalid("A public client has no secret.")
        secret = _new_secret()
        client.secret_sha256, client.revoked_at = hash_secret(secret), None
        self._end_tokens(client)
        audit.record("api_client.regenerate", _target(client), **_facts(client))
        return client, Credentials(client.client_id, secret)

    def renew(self, name: str, *, role: Role, audit: Audit) -> Credentials:
        """A new secret for the client of this name, which is made if it is not there; the old secret ends."""
        client = self._find_named(name)
        if client is None:
            return self.add(ApiClientIn(name=name, role=role), audit)[1]
        client = self._lock(client.id)
        if client.role != role:
            client.role, client.grants = role, list(DEFAULT_GRANTS[role])
        return self.regenerate(client.id, audit)[1]

    def revoke(self, number: int, audit: Audit) -> tables.ApiClient:
        """Refuse the client and all tokens that it was given from now on."""
        client = self._lock(number)
        if client.revoked_at is None:
            client.revoked_at = now()
            self._end_tokens(client)
            audit.record("api_client.revoke", _target(client), **_facts(client))
        return client

    def remove(self, number: int, audit: Audit) -> None:
        client = self._lock(number)
        self._session.execute(delete(tables.ApiClient).where(tables.ApiClient.id == number))
        audit.record("api_client.delete", _target(client), **_facts(client))

    def _lock(self, number: int) -> tables.ApiClient:
        # What is counted up or compared here must not be what another transaction is changing.
        client = self._session.scalar(
            select(tables.ApiClient)
            .where(tables.ApiClient.id == number)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if client is None:
            raise NotFound(f"There is no API client {number}.")
        return client

    def _find_named(self, name: str) -> tables.ApiClient | None:
        return self._session.scalar(select(tables.ApiClient).where(tables.ApiClient.name == name))

    def _end_tokens(self, client: tables.ApiClient) -> None:
        """Also those of people who logged in through the client: whoever had its secret may hold them."""
        client.generation += 1
        self._session.execute(delete(tables.Login).where(tables.Login.client_id == client.id))

    def _refuse_taken(self, name: str, client_id: str | None) -> None:
        if self._find_named(name) is not None:
            raise Conflict(f'There is an API client "{name}" already.')
        by_id = select(tables.ApiClient.id).where(tables.ApiClient.client_id == client_id)
        if client_id is not None and self._session.scalar(by_id) is not None:
            raise Conflict(f'There is an API client with the id "{client_id}" already.')

    def _flush(self) -> None:
        try:
            self._session.flush()
        except IntegrityError as error:
            raise Conflict("There is an API client of this name or id already.") from error


def _grants(given: ApiClientIn) -> list[str]:
    """What was asked for, or what the role gets; Invalid for what a client of the role cannot use."""
    grants = list(dict.fromkeys(given.grants or DEFAULT_GRANTS[given.role]))
    if given.is_public and given.role != "login":
        raise _unfit("is_public", "only a client of the role login can do without a secret")
    if given.role == "login" and "client_credentials" in grants:
        raise _unfit("grants", "a client of the role login has no rights of its own to ask a token for")
    if given.is_public and not set(grants) <= _GRANTS_OF_PUBLIC:
        raise _unfit("grants", "a public client has authorization_code and refresh_token alone")
    return grants


def _unfit(place: str, problem: str) -> Invalid:
    return Invalid(f"{place}: {problem}", faults=[Fault(place, problem)])


def _new_secret() -> str:
    secret = secrets.token_urlsafe(32)
    # One that begins with a dash would be an option to a command and a formula to a spreadsheet.
    return _new_secret() if secret.startswith("-") else secret


def _target(client: tables.ApiClient) -> str:
    return f"api_client:{client.id}"


def _facts(client: tables.ApiClient) -> dict[str, object]:
    return {
        "name": client.name,
        "description": client.description,
        "client_id": client.client_id,
        "role": client.role,
        "grants": client.grants,
        "redirect_uris": client.redirect_uris,
    }
