"""Proving who one is: a person by a password, a program by a secret."""

import hashlib
import hmac
import time
import uuid
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from opendai.auth.passwords import Passwords
from opendai.auth.tokens import Claims, Tokens
from opendai.database import database_clock
from opendai.tables import ApiClient, Login, User


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
    # Tokens of the second in which a password is set are refused: the old one's and the new one's look alike.
    until_accepted = int(user.not_before) - time.time()
    if until_accepted > 0:
        time.sleep(min(until_accepted, 1.0))
    extra: dict[str, Any] = {"preferred_username": user.username, "sid": str(uuid.uuid4())}
    return tokens.issue(f"user:{user.id}", now=time.time(), lifetime=lifetime, extra=extra)


def remember_login(session: Session, user: User, claims: Claims) -> bool:
    """Write down that a person holds this token; False if the person was deleted in the meantime."""
    session.execute(delete(Login).where(Login.expires < database_clock()))
    # The lock keeps the row that the new one points at until both are committed.
    still_there = select(User.id).where(User.id == user.id).with_for_update(read=True, key_share=True)
    if session.scalar(still_there) is None:
        return False
    session.add(Login(jti=claims.jti, user_id=user.id, expires=claims.expires))
    return True


def token_for_client(tokens: Tokens, client: ApiClient, *, lifetime: int) -> tuple[str, Claims]:
    extra = {"azp": client.client_id, "client_id": client.client_id, "sid": str(uuid.uuid4())}
    return tokens.issue(f"client:{client.id}", now=time.time(), lifetime=lifetime, extra=extra)
