"""Who may ask: users, groups, API clients, and what tokens are made and refused with."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from opendai.database import Table
from opendai.tables.columns import BigId, Body, ClockTime, Created, Id, Moment, Name


class Group(Table):
    """People who share models."""

    __tablename__ = "groups"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[Id]
    name: Mapped[Name] = mapped_column(unique=True)
    created_at: Mapped[Created]


class Membership(Table):
    """A user's place in a group."""

    __tablename__ = "memberships"

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class User(Table):
    """A person with a password. `role` is None, User or Admin."""

    __tablename__ = "users"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[Id]
    username: Mapped[Name] = mapped_column(unique=True)
    password_hash: Mapped[Body]
    role: Mapped[str] = mapped_column(String(10))
    hide_welcome_popup: Mapped[bool] = mapped_column(default=False)
    not_before: Mapped[ClockTime] = mapped_column(default=0.0)
    """Tokens issued earlier are refused."""
    created_at: Mapped[Created]

    groups: Mapped[list[Group]] = relationship(secondary="memberships", order_by=Group.name)


class ApiClient(Table):
    """A program with a secret. `role` is admin or agent."""

    __tablename__ = "api_clients"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[Id]
    client_id: Mapped[Name] = mapped_column(unique=True)
    name: Mapped[Name] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(String(10))
    secret_sha256: Mapped[str] = mapped_column(String(64))
    not_before: Mapped[ClockTime] = mapped_column(default=0.0)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[Created]


class SigningKey(Table):
    """A key pair for tokens; the private half is encrypted with the secret key of the installation."""

    __tablename__ = "signing_keys"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[Id]
    kid: Mapped[Name] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(String(10))
    private_key: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[Body]
    created_at: Mapped[Created]


class Login(Table):
    """A token that a person got for a password; the row may go once the token has run out or been ended."""

    __tablename__ = "logins"

    jti: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires: Mapped[ClockTime] = mapped_column(index=True)


class RevokedToken(Table):
    """A token that was ended before its time; the row may go once the token has run out."""

    __tablename__ = "revoked_tokens"

    jti: Mapped[str] = mapped_column(String(36), primary_key=True)
    expires: Mapped[ClockTime] = mapped_column(index=True)


class Instance(Table):
    """What one installation knows of itself: a single row."""

    __tablename__ = "instance"

    id: Mapped[Id]
    public_url: Mapped[Name]
    """Where the server was last reached; command-line tools that run beside it name this address."""
