"""Authentication: of a person by a password, of a program by a secret."""

import hashlib
import hmac
import time
import uuid
from typing import Any

from sqlalchemy import Select, bindparam, delete, select
from sqlalchemy.orm import Session, selectinload

from opendai.auth import attempts
from opendai.auth.audit import Actor, Audit, Origin
from opendai.credentials.passwords import Passwords
from opendai.credentials.tokens import Claims, Tokens
from opendai.database import Database, database_clock, upsert
from opendai.tables import ApiClient, BrowserSession, Login, RevokedToken, User

_UNKNOWN = Origin()


def log_in(
    database: Database, passwords: Passwords, username: str, password: str, *, address: str | None
) -> User | None:
    """The user with this name and password, otherwise None. An unknown name takes as long as a wrong password.

    Call it by `passwords.in_turn`. Every attempt is counted. After too many failures the result is None for the
    account and TooMany for the address.
    """
    if not attempts.begin_attempt(database, username, address):
        # This is quicker than a wrong password and reveals nothing: names that do not exist are locked as well.
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
    # The secret of a client is 256 random bits: it cannot be guessed, so the hash need not be slow.
    return hashlib.sha256(secret.encode()).hexdigest()


def find_client(session: Session, client_id: str, secret: str) -> ApiClient | None:
    """The API client with this id and secret, otherwise None."""
    client = _find_good_client(session, client_id)
    if client is None or client.secret_sha256 is None:
        return None
    return client if hmac.compare_digest(client.secret_sha256, hash_secret(secret)) else None


def find_public_client(session: Session, client_id: str) -> ApiClient | None:
    """The API client with this id if it has no secret, otherwise None."""
    client = _find_good_client(session, client_id)
    return client if client is not None and client.secret_sha256 is None else None


# Built once: building it for each token would take longer than running it.
_GOOD_CLIENT = select(ApiClient).where(
    ApiClient.client_id == bindparam("client_id"), ApiClient.revoked_at.is_(None)
)


def _find_good_client(session: Session, client_id: str) -> ApiClient | None:
    return session.scalar(_GOOD_CLIENT, {"client_id": client_id})


def lock_for_login(
    session: Session, user: User, browser_session: BrowserSession | None, client: ApiClient | None
) -> bool:
    """Lock the rows that a new login points at until the commit; False if one of them is gone.

    False also if the user has a new password since the check, or the program a new secret. A transaction that
    changes these waits for the lock and then ends the new login too.
    """
    same = User.password_hash.is_not_distinct_from(user.password_hash)
    held: list[Select[Any]] = [select(User.id).where(User.id == user.id, same).with_for_update(read=True)]
    if browser_session is not None:
        held.append(_row_of(browser_session))
    if client is not None:
        is_good = ApiClient.revoked_at.is_(None) & (ApiClient.generation == client.generation)
        held.append(_row_of(client).where(is_good))
    return all(session.scalar(query) is not None for query in held)


def _row_of(row: BrowserSession | ApiClient) -> Select[Any]:
    table = type(row)
    return select(table.id).where(table.id == row.id).with_for_update(read=True, key_share=True)


def begin_login(
    session: Session,
    user: User,
    *,
    lifetime: int,
    client: ApiClient | None = None,
    scope: str = "",
    browser_session: BrowserSession | None = None,
    login_id: str | None = None,
    origin: Origin = _UNKNOWN,
) -> Login | None:
    """Record a login that lasts `lifetime` seconds; None if the user, the program or the browser session is
    gone.

    A login from a browser session ends with it at the latest, and its time of authentication is that of the
    session.
    """
    if not lock_for_login(session, user, browser_session, client):
        return None
    now = session.scalar(select(database_clock())) or 0.0
    login = Login(
        id=login_id or str(uuid.uuid4()),
        user_id=user.id,
        client_id=client.id if client else None,
        browser_session_id=browser_session.id if browser_session else None,
        scope=scope,
        authenticated=browser_session.authenticated if browser_session else now,
        expires=min(now + lifetime, browser_session.expires) if browser_session else now + lifetime,
        rotated=now,
    )
    session.add(login)
    details = {"client": client.client_id} if client else {}
    Audit(session, Actor("user", user.username, origin)).record("login", f"user:{user.id}", **details)
    return login


def end_login(session: Session, login_id: str) -> int | None:
    """Refuse the tokens of a login from now on. The user's id; None if the login has ended already."""
    return session.scalar(delete(Login).where(Login.id == login_id).returning(Login.user_id))


def revoke_token(session: Session, claims: Claims) -> bool:
    """Revoke one token; False if it was revoked already."""
    row = upsert(session, RevokedToken).values(jti=claims.jti, expires=claims.expires)
    return session.scalar(row.on_conflict_do_nothing().returning(RevokedToken.jti)) is not None


def roles_of(role: str) -> list[str]:
    """A role in the form that Keycloak's clients read in a token. They adapt their display to it; the server
    asks the database."""
    return [] if role.lower() in {"none", "login"} else [role.lower()]


def token_for_user(
    tokens: Tokens, user: User, login: Login, *, lifetime: int, client: ApiClient | None = None
) -> tuple[str, Claims]:
    """An access token of a person, which is good for as long as the login is."""
    extra: dict[str, Any] = {
        "preferred_username": user.username,
        "sid": login.id,
        "realm_access": {"roles": roles_of(user.role)},
    }
    if client:
        extra |= {"azp": client.client_id, "scope": login.scope}
    return tokens.issue(f"user:{user.id}", now=time.time(), lifetime=lifetime, extra=extra)


def id_token_for_user(
    tokens: Tokens,
    user: User,
    login: Login,
    *,
    lifetime: int,
    client: ApiClient,
    access_token: str,
    nonce: str | None,
) -> str:
    """The ID token, which names the person and the time of the login to a program."""
    extra: dict[str, Any] = {
        "preferred_username": user.username,
        "sid": login.id,
        "auth_time": int(login.authenticated),
        "acr": "1",
    }
    if nonce is not None:
        extra["nonce"] = nonce
    return tokens.issue_id(
        f"user:{user.id}",
        audience=client.client_id,
        access_token=access_token,
        now=time.time(),
        lifetime=lifetime,
        extra=extra,
    )


def token_for_client(
    tokens: Tokens, client: ApiClient, *, lifetime: int, scope: str = ""
) -> tuple[str, Claims]:
    """An access token of a program, which is good until the program's secret is changed."""
    extra = {
        "azp": client.client_id,
        "client_id": client.client_id,
        "sid": str(uuid.uuid4()),
        "gen": client.generation,
        "scope": scope,
        "realm_access": {"roles": roles_of(client.role)},
    }
    return tokens.issue(f"client:{client.id}", now=time.time(), lifetime=lifetime, extra=extra)
