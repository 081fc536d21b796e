"""Authorization codes: the login page makes them, and the token endpoint exchanges each once."""

import base64
import hashlib
import hmac
import re
import secrets
import uuid

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.audit import Origin
from opendai.auth.logins import begin_login, hash_secret, lock_for_login
from opendai.database import database_clock
from opendai.identity.token.issuing import Standing
from opendai.identity.token.scopes import granted_scope

SECONDS = 60
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def make_code(
    session: Session,
    *,
    client: tables.ApiClient,
    browser_session: tables.BrowserSession,
    redirect_uri: str,
    challenge: str,
    nonce: str | None,
    scope: str,
    lifetime: int = SECONDS,
) -> str:
    """A code that the browser takes back to the client. The database keeps only its hash."""
    text = secrets.token_urlsafe(32)
    session.add(
        tables.AuthorizationCode(
            code_sha256=hash_secret(text),
            client_id=client.id,
            browser_session_id=browser_session.id,
            redirect_uri=redirect_uri,
            challenge=challenge,
            nonce=nonce,
            scope=granted_scope(scope),
            expires=database_clock() + lifetime,
        )
    )
    return text


def exchange_code(
    session: Session,
    text: str,
    client: tables.ApiClient,
    *,
    redirect_uri: str,
    verifier: str,
    lifetime: int,
    longest: int,
    origin: Origin,
) -> Standing | None:
    """Begin the login of a code. None if anything is wrong, and then the code is used up.

    `lifetime` is that of the login, `longest` the time for which a second use is noticed. The caller must
    commit in both cases: a second use ends the login of the first.
    """
    code, browser_session, user = tables.AuthorizationCode, tables.BrowserSession, tables.User
    found = session.execute(
        select(code, browser_session, user)
        .join(browser_session, browser_session.id == code.browser_session_id)
        .join(user, user.id == browser_session.user_id)
        .where(code.code_sha256 == hash_secret(text), browser_session.expires > database_clock())
    ).one_or_none()
    # The same order of locks as where a user is deleted or a session ends: its row before the rows below it.
    if found is None or not lock_for_login(session, found.User, found.BrowserSession, client):
        return None
    login_id = str(uuid.uuid4())
    if not _claim(session, found.AuthorizationCode, login_id, longest=longest):
        return None
    if not _matches(found.AuthorizationCode, client, redirect_uri=redirect_uri, verifier=verifier):
        return None
    login = begin_login(
        session,
        found.User,
        lifetime=lifetime,
        client=client,
        scope=found.AuthorizationCode.scope,
        browser_session=found.BrowserSession,
        login_id=login_id,
        origin=origin,
    )
    if login is None:
        return None
    return Standing(login, found.User, login.expires - login.rotated, found.AuthorizationCode.nonce)


def _claim(session: Session, found: tables.AuthorizationCode, login_id: str, *, longest: int) -> bool:
    """Take the code for this login. If it was taken before, end the login that it was taken for."""
    code, login = tables.AuthorizationCode, tables.Login
    is_it = code.code_sha256 == found.code_sha256
    claimed = session.scalar(
        update(code)
        .where(is_it, code.login_id.is_(None), code.expires > database_clock())
        .values(login_id=login_id, expires=database_clock() + longest)
        .returning(code.code_sha256)
        .execution_options(synchronize_session=False)
    )
    if claimed is None:
        session.execute(delete(login).where(login.id == select(code.login_id).where(is_it).scalar_subquery()))
    return claimed is not None


def _matches(
    found: tables.AuthorizationCode, client: tables.ApiClient, *, redirect_uri: str, verifier: str
) -> bool:
    if found.client_id != client.id or found.redirect_uri != redirect_uri:
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    is_right = hmac.compare_digest(digest, found.challenge.encode())
    return _VERIFIER.fullmatch(verifier) is not None and is_right
