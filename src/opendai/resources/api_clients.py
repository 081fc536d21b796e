"""API clients: programs with an id and a secret. Of the secret only its hash is kept."""

import re
import secrets
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.logins import hash_secret
from opendai.errors import Conflict, Invalid, NotFound
from opendai.tables.columns import now

ROLES = ("admin", "agent")
DEFAULT_GRANTS = {"admin": ("client_credentials", "password"), "agent": ("client_credentials",)}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an API client logs in with; the secret is shown this once."""

    client_id: str
    client_secret: str


class ApiClientRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def search(self) -> list[tables.ApiClient]:
        return list(self._session.scalars(select(tables.ApiClient).order_by(tables.ApiClient.id)))

    def add(self, name: str, *, role: str) -> Credentials:
        if not _NAME.fullmatch(name):
            raise Invalid(
                "The name of an API client is made of letters, digits, spaces, dots, dashes and underscores."
            )
        # Without colons: some libraries send the id raw inside Basic, where the first colon ends it.
        client_id = f"{name.lower().replace(' ', '-')}-{secrets.token_hex(4)}"
        secret = secrets.token_urlsafe(32)
        self._session.add(
            tables.ApiClient(
                client_id=client_id,
                name=name,
                role=role,
                grants=list(DEFAULT_GRANTS[role]),
                secret_sha256=hash_secret(secret),
            )
        )
        try:
            self._session.flush()
        except IntegrityError as error:
            raise Conflict(f'There is an API client "{name}" already.') from error
        return Credentials(client_id, secret)

    def renew(self, name: str, *, role: str) -> Credentials:
        """A new secret for the client of this name, which is made if it is not there; the old secret ends."""
        client = self._session.scalar(select(tables.ApiClient).where(tables.ApiClient.name == name))
        if client is None:
            return self.add(name, role=role)
        secret = secrets.token_urlsafe(32)
        client.role, client.secret_sha256, client.revoked_at = role, hash_secret(secret), None
        client.generation += 1
        return Credentials(client.client_id, secret)

    def revoke(self, name: str) -> None:
        """Refuse the client and its tokens from now on."""
        client = self._session.scalar(select(tables.ApiClient).where(tables.ApiClient.name == name))
        if client is None:
            raise NotFound(f"There is no API client {name}.")
        client.revoked_at = client.revoked_at or now()
