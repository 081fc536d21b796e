"""Proving who one is: a person by a password, a program by a secret."""

import hashlib
import hmac
import time
import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from opendai.auth.passwords import Passwords
from opendai.auth.tokens import Claims, Tokens
from opendai.tables import ApiClient, User


def log_in(session: Session, passwords: Passwords, username: str, password: str) -> User | None:
    """The user with this name and password, else None; takes as long for an unknown name."""
    user = session.scalar(select(User).where(User.username == username).options(selectinload(User.groups)))
    return user if passwords.verify(password, user.password_hash if user else None) else None


def hash_secret(secret: str) -> str:
    # A client's secret is 256 random bits: there is nothing to guess, so nothing to slow down.
    return hashlib.sha256(secret.encode()).hexdigest()


def find_client(session: Session, client_id: str, secret: str) -> ApiClient | None:
    """The API client with this id and secret, else None."""
    client = session.scalar(
        select(ApiClient).where(ApiClient.client_id == client_id, ApiClient.revoked_at.is_(None))
    )
    if client is None or not hmac.compare_digest(client.secret_sha256, hash_secret(secret)):
        return None
    return client


def token_for_user(tokens: Tokens, user: User, *, lifetime: int) -> tuple[str, Claims]:
    extra: dict[str, Any] = {"preferred_username": user.username, "sid": str(uuid.uuid4())}
    return tokens.issue(f"user:{user.id}", now=time.time(), lifetime=lifetime, extra=extra)


def token_for_client(tokens: Tokens, client: ApiClient, *, lifetime: int) -> tuple[str, Claims]:
    extra = {"azp": client.client_id, "client_id": client.client_id, "sid": str(uuid.uuid4())}
    return tokens.issue(f"client:{client.id}", now=time.time(), lifetime=lifetime, extra=extra)
