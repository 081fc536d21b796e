"""Users and groups, as the command line and the first start make them."""

import secrets
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from opendai import tables
from opendai.auth.passwords import LONGEST, Passwords
from opendai.database import database_clock
from opendai.errors import Conflict, Invalid, NotFound

ROLES = ("None", "User", "Admin")
ADMIN_GROUP = "admin"
_SHORTEST_PASSWORD = 8


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """The administrator of a new installation; `password` is None where a setting gave it."""

    username: str
    password: str | None


class UserRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def search(self) -> list[tables.User]:
        query = select(tables.User).options(selectinload(tables.User.groups)).order_by(tables.User.id)
        return list(self._session.scalars(query))

    def add(
        self, username: str, password: str, *, role: str, groups: list[str], passwords: Passwords
    ) -> tables.User:
        """A new user in a group of their own name, and in the named ones, which must exist."""
        _check_username(username)
        _check_password(password)
        found = self._session.scalars(select(tables.Group).where(tables.Group.name.in_(groups))).all()
        missing = sorted(set(groups) - {group.name for group in found})
        if missing:
            raise Invalid(f"There is no group {missing[0]}.")
        user = tables.User(username=username, password_hash=passwords.hash(password), role=role)
        user.groups = [*found, self._own_group(username)]
        self._session.add(user)
        try:
            self._session.flush()
        except IntegrityError as error:
            raise Conflict(f'There is a user or a group "{username}" already.') from error
        return user

    def set_password(self, username: str, password: str, passwords: Passwords) -> None:
        """A new password; every token of the user is refused from now on."""
        _check_password(password)
        user = self._session.scalar(select(tables.User).where(tables.User.username == username))
        if user is None:
            raise NotFound(f"There is no user {username}.")
        user.password_hash = passwords.hash(password)
        user.not_before = (self._session.scalar(select(database_clock())) or 0.0) + 1

    def ensure_admin(self, username: str, password: str | None, passwords: Passwords) -> FirstAdmin | None:
        """Make the first administrator; None if there are users already."""
        if self._session.scalar(select(tables.User.id).limit(1)) is not None:
            return None
        group = self._session.scalar(select(tables.Group).where(tables.Group.name == ADMIN_GROUP))
        if group is None:
            group = tables.Group(name=ADMIN_GROUP)
            self._session.add(group)
        chosen = password or secrets.token_urlsafe(18)
        user = tables.User(
            username=username, password_hash=passwords.hash(chosen), role="Admin", groups=[group]
        )
        self._session.add(user)
        self._session.flush()
        return FirstAdmin(username=username, password=None if password else chosen)

    def _own_group(self, username: str) -> tables.Group:
        if self._session.scalar(select(tables.Group.id).where(tables.Group.name == username)) is not None:
            raise Conflict(f'There is a user or a group "{username}" already.')
        return tables.Group(name=username)


def _check_username(username: str) -> None:
    if not username.strip() or len(username) > 255 or not username.isprintable():
        raise Invalid("A username is one line of 1 to 255 characters.")


def _check_password(password: str) -> None:
    if not _SHORTEST_PASSWORD <= len(password) <= LONGEST or "\0" in password:
        raise Invalid(f"A password has {_SHORTEST_PASSWORD} to {LONGEST} characters.")
