"""Proving who one is: a person by a password, a program by a secret."""

import hashlib
import hmac
import time
import uuid
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from opendai.auth import attempts
from opendai.auth.passwords import Passwords
from opendai.auth.tokens import Claims, Tokens
from opendai.database import Database, database_clock
from opendai.tables import ApiClient, Login, User


def log_in(
    database: Database, passwords: Passwords, username: str, password: str, *, address: str | None
) -> User | None:
    """The user with this name and password, else None; takes as long for an unknown name.

    To be called by `passwords.in_turn`. Every attempt is counted, and where too many failed the answer is
    None for the account and TooMany for the address.
    """
    if not attempts.begin_attempt(database, username, address):
        # This is quicker than a wrong password and tells no more: names that nobody has are locked just so.
        return None
    with database.reading() as session:
        user = session.scalar(
            select(User).where(User.username == username).options(selectinload(User.groups))
        )
    if not passwords.verify(password, user.password_hash if user else None):
        return None
    attempts.give_back(database, username, address)
    return user


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
    session: Session, user: User, *, lifetime: int, client: ApiClient | None = None, scope: str = ""
) -> Login | None:
    """Write down that a person logged in, for so many seconds; None if they were deleted in the meantime."""
    session.execute(delete(Login).where(Login.expires < database_clock()))
    # The lock keeps the row that the new one points at until both are committed.
    still_there = (
        select(database_clock()).where(User.id == user.id).with_for_update(read=True, key_share=True)
    )
    now = session.scalar(still_there)
    if now is None:
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
    return login


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
