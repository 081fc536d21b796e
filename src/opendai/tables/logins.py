"""Who is logged in, what was tried, and what was ended. Rows may go once their time has passed."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendai.database import DECIDES_RIGHTS, Table
from opendai.tables.columns import BigId, Body, ClockTime, Name, Uuid


class BrowserSession(Table):
    """A browser in which a person gave a password; what its cookie holds is kept as a hash."""

    __tablename__ = "browser_sessions"
    __table_args__ = {"info": DECIDES_RIGHTS}

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    cookie_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    authenticated: Mapped[ClockTime]
    expires: Mapped[ClockTime] = mapped_column(index=True)


class Login(Table):
    """A login of a person, which their tokens name as `sid`: when the row goes, all of them are refused.

    Refresh tokens are numbered: `generation` is the number of the one that is good.
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
    """When the generation was last raised; the previous token is good for a moment longer."""


class AuthorizationCode(Table):
    """A code that a program exchanges for tokens, once; kept as a hash."""

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
    """The login that the code was exchanged for: it is ended when the code comes a second time."""


class RevokedToken(Table):
    """A single token that was ended before its time."""

    __tablename__ = "revoked_tokens"
    __table_args__ = {"info": DECIDES_RIGHTS}

    jti: Mapped[Uuid] = mapped_column(primary_key=True)
    expires: Mapped[ClockTime] = mapped_column(index=True)


class LoginAttempts(Table):
    """Failed logins in the current span of time, by account and by address. `kind` is account or address."""

    __tablename__ = "login_attempts"

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The hash of the account's name, or the network that the address is in."""
    count: Mapped[int]
    expires: Mapped[ClockTime] = mapped_column(index=True)
    """The end of the span, or of the lock once there were too many."""
