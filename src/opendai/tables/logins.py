"""Logins, attempts to log in, and revoked tokens. A row may be deleted once its time has passed."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendai.database import DECIDES_RIGHTS, Table
from opendai.tables.columns import BigId, Body, ClockTime, Name, Uuid


class BrowserSession(Table):
    """A browser in which a person entered a password. The content of its cookie is stored as a hash."""

    __tablename__ = "browser_sessions"
    __table_args__ = {"info": DECIDES_RIGHTS}

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    cookie_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    authenticated: Mapped[ClockTime]
    expires: Mapped[ClockTime] = mapped_column(index=True)


class Login(Table):
    """A login of a person, which tokens name as `sid`: once the row is deleted, these tokens are refused.

    Refresh tokens are numbered: `generation` is the number of the valid one.
    """

    __tablename__ = "logins"
    __table_args__ = {"info": DECIDES_RIGHTS}

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    client_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("api_clients.id", ondelete="CASCADE"), index=True
    )
    """The program through which the person logged in; None at /ai/auth."""
    browser_session_id: Mapped[str | None] = mapped_column(
        String(36), ForeignKey("browser_sessions.id", ondelete="CASCADE"), index=True
    )
    scope: Mapped[Name] = mapped_column(default="")
    authenticated: Mapped[ClockTime]
    expires: Mapped[ClockTime] = mapped_column(index=True)
    generation: Mapped[int] = mapped_column(default=0)
    rotated: Mapped[ClockTime] = mapped_column(default=0.0)
    """The time when the generation was last raised; the previous token is valid for a moment longer."""


class AuthorizationCode(Table):
    """A code that a program exchanges for tokens, once. It is stored as a hash."""

    __tablename__ = "authorization_codes"

    code_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("api_clients.id", ondelete="CASCADE"), index=True
    )
    browser_session_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("browser_sessions.id", ondelete="CASCADE"), index=True
    )
    redirect_uri: Mapped[Body]
    challenge: Mapped[str] = mapped_column(String(43))
    """The S256 code challenge of PKCE."""
    nonce: Mapped[Body | None]
    scope: Mapped[Name]
    expires: Mapped[ClockTime] = mapped_column(index=True)
    login_id: Mapped[str | None] = mapped_column(String(36))
    """The login that the code was exchanged for. A second use of the code ends it."""


class RevokedToken(Table):
    """A single token that was revoked before its time."""

    __tablename__ = "revoked_tokens"
    __table_args__ = {"info": DECIDES_RIGHTS}

    jti: Mapped[Uuid] = mapped_column(primary_key=True)
    expires: Mapped[ClockTime] = mapped_column(index=True)


class LoginAttempts(Table):
    """Failed logins in the current span of time, by account and by address. `kind` is account or address."""

    __tablename__ = "login_attempts"

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The hash of the account's name, or the network of the address."""
    count: Mapped[int]
    expires: Mapped[ClockTime] = mapped_column(index=True)
    """The end of the span, or of the lock after too many attempts."""
