"""Proving who one is: a person by a password, a program by a secret."""

import hashlib
import hmac
import time
import uuid
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from opendai.auth.audit import Actor, Audit, Origin
from opendai.auth.passwords import Passwords
from opendai.auth.tokens import Claims, Tokens
from opendai.database import database_clock
from opendai.tables import ApiClient, Login, User

_UNKNOWN = Origin()


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
    if client is None or client.secret_sha256 is None:
        return None
    return client if hmac.compare_digest(client.secret_sha256, hash_secret(secret)) else None


def begin_login(
    session: Session,
    user: User,
    *,
    lifetime: int,
    client: ApiClient | None = None,
    scope: str = "",
    origin: Origin = _UNKNOWN,
) -> Login | None:
    """Write down that a person logged in, for so many seconds.

    None if the person was deleted in the meantime, or the program through which they log in was refused.
    """
    session.execute(delete(Login).where(Login.expires < database_clock()))
    # The lock keeps the row that the new one points at until both are committed.
    still_there = (
        select(database_clock()).where(User.id == user.id).with_for_update(read=True, key_share=True)
    )
    now = session.scalar(still_there)
    if now is None or (client is not None and not _is_still_good(session, client)):
        return None
    login = Login(
        id=str(uuid.uuid4()),
        user_id=user.id,
        client_id=client.id if client else None,
        scope=scope,
        authenticated=now,
        expires=now + lifetime,
    )
    session.add(login)
    details = {"client": client.client_id} if client else {}
    Audit(session, Actor("user", user.username, origin)).record("login", f"user:{user.id}", **details)
    return login


def _is_still_good(session: Session, client: ApiClient) -> bool:
    # The lock makes whoever revokes the client wait, and then end this login too.
    same = select(ApiClient.id).where(
        ApiClient.id == client.id,
        ApiClient.revoked_at.is_(None),
        ApiClient.generation == client.generation,
    )
    return session.scalar(same.with_for_update(read=True, key_share=True)) is not None


def token_for_user(
    tokens: Tokens, user: User, login: Login, *, lifetime: int, client: ApiClient | None = None
) -> tuple[str, Claims]:
    """An access token of a person, which is good for as long as the login is."""
    extra: dict[str, Any] = {"preferred_username": user.username, "sid": login.id}
    if client:
        extra["azp"] = client.client_id
    return tokens.issue(f"user:{user.id}", now=time.time(), lifetime=lifetime, extra=extra)


def token_for_client(tokens: Tokens, client: ApiClient, *, lifetime: int) -> tuple[str, Claims]:
    """An access token of a program, which is good until the program's secret is changed."""
    extra = {
        "azp": client.client_id,
        "client_id": client.client_id,
        "sid": str(uuid.uuid4()),
        "gen": client.generation,
    }
    return tokens.issue(f"client:{client.id}", now=time.time(), lifetime=lifetime, extra=extra)
