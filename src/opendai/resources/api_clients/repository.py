"""API clients: programs with an id and a secret, of which only the hash is stored."""

import secrets
from dataclasses import dataclass, field

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.audit import Audit
from opendai.auth.logins import hash_secret
from opendai.errors import Conflict, Fault, Invalid, NotFound
from opendai.resources.api_clients.schemas import ApiClientIn, ApiClientPatch, Role
from opendai.tables.columns import now

ROLES = ("admin", "agent", "login")
DEFAULT_GRANTS = {
    "admin": ("client_credentials", "password"),
    "agent": ("client_credentials",),
    "login": ("authorization_code", "refresh_token"),
}
# A program in a browser cannot keep a secret, so it cannot ask for a token without a person.
_GRANTS_OF_PUBLIC = {"authorization_code", "refresh_token"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The id and the secret of an API client. The secret is shown this once; a public client has an empty one."""

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

    def get_named(self, name: str) -> tables.ApiClient:
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

    def regenerate_secret(self, number: int, audit: Audit) -> tuple[tables.ApiClient, Credentials]:
        """Give the client a new secret, even if it was revoked. The old secret and all tokens end."""
        client = self._lock(number)
        if client.secret_sha256 is None:
            raise Invalid("A public client has no secret.")
        secret = _new_secret()
        client.secret_sha256, client.revoked_at = hash_secret(secret), None
        self._end_tokens(client)
        audit.record("api_client.regenerate", _target(client), **_facts(client))
        return client, Credentials(client.client_id, secret)

    def issue(self, name: str, *, role: Role, audit: Audit) -> Credentials:
        """Give the client with this name a new secret, or add the client. The old secret ends."""
        client = self._find_named(name)
        if client is None:
            return self.add(ApiClientIn(name=name, role=role), audit)[1]
        client = self._lock(client.id)
        if client.role != role:
            client.role, client.grants = role, list(DEFAULT_GRANTS[role])
        return self.regenerate_secret(client.id, audit)[1]

    def revoke(self, number: int, audit: Audit) -> tables.ApiClient:
        """Refuse the client and all of its tokens from now on."""
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
        # The generation is counted up and old values are compared: no other transaction may change them meanwhile.
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
        """End the tokens of the client, and the logins through it: a thief of the secret may hold their tokens."""
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
    """The requested grants, or those of the role; Invalid if the role does not allow them."""
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
