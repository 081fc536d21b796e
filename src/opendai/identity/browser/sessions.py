"""Browser sessions: a password begins one, a cookie finds it, and its end ends all its logins."""

import secrets
import uuid
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import bindparam, delete, select, true
from sqlalchemy.orm import Session

from opendai.auth.audit import Actor, Audit, Origin
from opendai.auth.logins import hash_secret, lock_for_login
from opendai.database import database_clock
from opendai.identity.browser import cookies
from opendai.tables import BrowserSession, Login, User

_BROWSER = select(
    BrowserSession.id,
    BrowserSession.user_id,
    (database_clock() - BrowserSession.authenticated).label("age"),
).where(BrowserSession.cookie_sha256 == bindparam("cookie_sha256"), BrowserSession.expires > database_clock())


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser session as a value. `age` counts the seconds since the password was given."""

    id: str
    user_id: int
    age: float


def find_browser(session: Session, request: Request) -> Browser | None:
    """The session of the browser's cookie, if it has not ended."""
    cookie = cookies.find_cookie(request, cookies.SESSION)
    if cookie is None:
        return None
    row = session.execute(_BROWSER, {"cookie_sha256": hash_secret(cookie)}).one_or_none()
    return Browser(row.id, row.user_id, row.age) if row else None


def lock_browser_session(session: Session, browser: Browser) -> BrowserSession | None:
    """The session's row, kept until a code that points at it is committed; None if it has ended."""
    return session.get(BrowserSession, browser.id, with_for_update={"read": True, "key_share": True})


def has_login(session: Session, browser: Browser, login_id: str) -> bool:
    """Whether the login of this id began in this browser session and has not ended."""
    login = select(Login.id).where(Login.id == login_id, Login.browser_session_id == browser.id)
    return session.scalar(login) is not None


def begin_browser_session(
    session: Session, user: User, earlier: Browser | None, *, lifetime: int, origin: Origin
) -> tuple[BrowserSession, str] | None:
    """Record a login in this browser, and return its session and the new value of the cookie.

    None if the person was deleted or got a new password in the meantime. The cookie is always new, because somebody
    may have planted the previous one. A session of another person in this browser ends.
    """
    if not lock_for_login(session, user, None, None):
        return None
    now = session.scalar(select(database_clock())) or 0.0
    row = _kept(session, user, earlier, origin)
    if row is None:
        row = BrowserSession(id=str(uuid.uuid4()), user_id=user.id)
        session.add(row)
    cookie = secrets.token_urlsafe(32)
    row.cookie_sha256, row.authenticated, row.expires = hash_secret(cookie), now, now + lifetime
    session.flush()
    Audit(session, Actor("user", user.username, origin)).record("login", f"user:{user.id}", by="login page")
    return row, cookie


def _kept(session: Session, user: User, earlier: Browser | None, origin: Origin) -> BrowserSession | None:
    """The earlier session, if it is the same person's: a second login keeps the programs logged in."""
    if earlier is None:
        return None
    if earlier.user_id != user.id:
        end_browser_session(session, earlier.id, origin)
        return None
    return session.get(BrowserSession, earlier.id, with_for_update=True)


def end_browser_session(session: Session, identity: str, origin: Origin) -> None:
    """Log the browser out and end all logins that began in it. Does nothing if the session has ended."""
    person = session.execute(
        select(User.id, User.username)
        .join(BrowserSession, BrowserSession.user_id == User.id)
        .where(BrowserSession.id == identity)
    ).one_or_none()
    if person is not None:
        session.execute(delete(BrowserSession).where(BrowserSession.id == identity))
        Audit(session, Actor("user", person.username, origin)).record("logout", f"user:{person.id}")


def end_with_browser_session(
    session: Session, login_id: str, origin: Origin, *, user_id: int | None = None
) -> None:
    """End a login and every other one from the same browser session. Does nothing if it has ended.

    With a user's id, only a login of that user is ended.
    """
    login, user = Login, User
    found = session.execute(
        select(login.browser_session_id, user.id, user.username)
        .join(user, user.id == login.user_id)
        .where(login.id == login_id, true() if user_id is None else user.id == user_id)
    ).one_or_none()
    if found is None:
        return
    if found.browser_session_id is not None:
        end_browser_session(session, found.browser_session_id, origin)
    else:
        session.execute(delete(login).where(login.id == login_id))
        Audit(session, Actor("user", found.username, origin)).record("logout", f"user:{found.id}")
