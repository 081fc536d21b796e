"""Callers: users, groups, API clients, and the keys that sign their tokens."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from opendai.database import DECIDES_RIGHTS, Table
from opendai.tables.columns import BigId, Body, ClockTime, Created, Id, Moment, Name


class Group(Table):
    """People who share models."""

    __tablename__ = "groups"
    __table_args__ = {"sqlite_autoincrement": True, "info": DECIDES_RIGHTS}

    id: Mapped[Id]
    name: Mapped[Name] = mapped_column(unique=True)
    created_at: Mapped[Created]


class Membership(Table):
    """A user's place in a group."""

    __tablename__ = "memberships"
    __table_args__ = {"info": DECIDES_RIGHTS}

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class User(Table):
    """A person. `role` is None, User or Admin."""

    __tablename__ = "users"
    __table_args__ = {"sqlite_autoincrement": True, "info": DECIDES_RIGHTS}

    id: Mapped[Id]
    username: Mapped[Name] = mapped_column(unique=True)
    password_hash: Mapped[Body | None]
    """None: the person logs in at an outside provider, or not until a password is set."""
    outside_subject: Mapped[Name | None] = mapped_column(unique=True)
    """The subject of the person at an outside identity provider."""
    role: Mapped[str] = mapped_column(String(10))
    hide_welcome_popup: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Created]

    groups: Mapped[list[Group]] = relationship(secondary="memberships", order_by=Group.name)


class ApiClient(Table):
    """A program. `role` is admin, agent, or login for a program that has no rights and lets people log in."""

    __tablename__ = "api_clients"
    __table_args__ = {"sqlite_autoincrement": True, "info": DECIDES_RIGHTS}

    id: Mapped[Id]
    client_id: Mapped[Name] = mapped_column(unique=True)
    name: Mapped[Name] = mapped_column(unique=True)
    description: Mapped[Body] = mapped_column(default="")
    role: Mapped[str] = mapped_column(String(10))
    grants: Mapped[list[str]] = mapped_column(JSON)
    """The OAuth grant types that it may use."""
    redirect_uris: Mapped[list[str]] = mapped_column(JSON, default=list)
    """The addresses that a login may return to, compared letter by letter."""
    secret_sha256: Mapped[str | None] = mapped_column(String(64))
    """None: a public client, such as a page in a browser, which cannot keep a secret."""
    generation: Mapped[int] = mapped_column(default=0)
    """Tokens of an earlier generation are refused."""
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[Created]


class SigningKey(Table):
    """A key pair for tokens; the private half is encrypted with the secret key of the installation.

    The newest key whose `signs_from` has passed signs. A key verifies until it is disabled.
    """

    __tablename__ = "signing_keys"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[Id]
    kid: Mapped[Name] = mapped_column(unique=True)
    private_key: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[Body]
    signs_from: Mapped[ClockTime] = mapped_column(default=0.0)
    is_disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Created]


class Instance(Table):
    """The facts about this installation: a single row."""

    __tablename__ = "instance"

    id: Mapped[Id]
    public_url: Mapped[Name]
    """The last known address of the server. Command-line tools on the same machine print it."""
