"""Users: people with a password, a role, and groups, one of which is of their own name."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from sqlalchemy import Select, delete, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from opendai import tables
from opendai.auth.callers import Admin, Caller
from opendai.auth.callers import User as UserPolicy
from opendai.auth.passwords import Passwords
from opendai.database import DatabaseDep, repository
from opendai.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from opendai.resources import licenses
from opendai.resources.groups import check_name, is_taken, is_used
from opendai.resources.inputs import Id, Input, Line, Name, Output, Password

ROLES = ("None", "User", "Admin")

Role = Literal["None", "User", "Admin"]
GroupNames = Annotated[list[Line], Field(max_length=100)]


class UserPatch(Input):
    """What may change; a field that is left out or null stays as it is. `groups` are all the user's groups."""

    username: Name | None = None
    role: Role | None = None
    groups: GroupNames | None = None
    password: Password | None = None
    hide_welcome_popup: bool | None = None


class UserIn(UserPatch):
    """Only the username is needed. Without a password nobody can log in as this user until one is set."""

    username: Name


class WelcomePopupIn(Input):
    hide_welcome_popup: bool


class MembershipOut(Output):
    id: int
    name: str


class UserOut(Output):
    id: int
    username: str
    role: str
    groups: list[MembershipOut]
    hide_welcome_popup: bool


class UserRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, user_id: int) -> tables.User:
        user = self._session.scalar(_users().where(tables.User.id == user_id))
        if user is None:
            raise NotFound(f"There is no user {user_id}.")
        return user

    def search(self) -> list[tables.User]:
        return list(self._session.scalars(_users().order_by(tables.User.id)))

    def add(
        self,
        username: str,
        password_hash: str | None,
        *,
        role: str,
        groups: list[str],
        hide_welcome_popup: bool = False,
        outside_subject: str | None = None,
    ) -> tables.User:
        """A new user in a group of their own name, and in the named ones, which must exist."""
        check_name(username, field="username")
        if is_taken(self._session, username):
            raise _taken(username)
        others = self._groups(groups, own={username})
        if role != "None":
            licenses.check_users(self._session)
        user = tables.User(
            username=username,
            password_hash=password_hash,
            outside_subject=outside_subject,
            role=role,
            hide_welcome_popup=hide_welcome_popup,
            groups=[tables.Group(name=username), *others],
        )
        self._session.add(user)
        return self._flushed(user)

    def change(
        self, user_id: int, given: UserPatch, caller: Caller, *, password_hash: str | None
    ) -> tables.User:
        user = self._lock(user_id)
        own = self._own_group(user)
        if not caller.is_admin:
            _refuse_promotion(user, given)
        if password_hash is not None:
            self.set_password(user.username, password_hash)
        if given.role is not None and given.role != user.role:
            self._change_role(user, given.role)
        if given.groups is not None:
            others = self._groups(given.groups, own={user.username, given.username or user.username})
            user.groups = [own, *others] if own else others
        if given.username is not None and given.username != user.username:
            self._rename(user, own, given.username)
        if given.hide_welcome_popup is not None:
            user.hide_welcome_popup = given.hide_welcome_popup
        return self._flushed(user)

    def hide_welcome_popup(self, user_id: int, *, is_hidden: bool) -> tables.User:
        user = tables.User
        changed = self._session.scalar(
            update(user).where(user.id == user_id).values(hide_welcome_popup=is_hidden).returning(user.id)
        )
        if changed is None:
            raise NotFound(f"There is no user {user_id}.")
        return self.get(user_id)

    def set_password(self, username: str, password_hash: str) -> None:
        """A new password; every token of the user is refused from now on. Conflict for a person from outside."""
        user = self._session.scalar(select(tables.User).where(tables.User.username == username))
        if user is None:
            raise NotFound(f"There is no user {username}.")
        if user.outside_subject is not None:
            # A password would still open the door when the provider has closed it.
            raise Conflict(f"{username} logs in at the identity provider and has no password here.")
        user.password_hash = password_hash
        self._session.execute(delete(tables.Login).where(tables.Login.user_id == user.id))

    def remove(self, user_id: int) -> None:
        """Delete a user, and their own group if nothing and nobody else is in it."""
        user = self._lock(user_id)
        self._keep_an_admin(user)
        own = self._own_group(user)
        self._session.execute(delete(tables.User).where(tables.User.id == user_id))
        if own is not None and not is_used(self._session, own.id):
            has_members = exists().where(tables.Membership.group_id == own.id)
            self._session.execute(delete(tables.Group).where(tables.Group.id == own.id, ~has_members))

    def _lock(self, user_id: int) -> tables.User:
        """The user, locked together with every administrator: who is the last one is asked by one at a time.

        Always in the order of the ids, so that two requests cannot wait for each other.
        """
        user = tables.User
        rows = self._session.scalars(
            _users().where(or_(user.id == user_id, user.role == "Admin")).order_by(user.id).with_for_update()
        ).all()
        found = next((row for row in rows if row.id == user_id), None)
        if found is None:
            raise NotFound(f"There is no user {user_id}.")
        return found

    def _keep_an_admin(self, user: tables.User) -> None:
        admins = select(func.count(tables.User.id)).where(tables.User.role == "Admin")
        if user.role == "Admin" and self._session.scalar(admins) == 1:
            raise Conflict("There must be an administrator, and this is the last one.")

    def _change_role(self, user: tables.User, role: str) -> None:
        self._keep_an_admin(user)
        if user.role == "None":
            licenses.check_users(self._session)
        user.role = role

    def _rename(self, user: tables.User, own: tables.Group | None, username: str) -> None:
        check_name(username, field="username")
        if is_taken(self._session, username):
            raise _taken(username)
        user.username = username
        if own is not None:
            own.name = username

    def _own_group(self, user: tables.User) -> tables.Group | None:
        return self._session.scalar(
            select(tables.Group).where(tables.Group.name == user.username).with_for_update()
        )

    def _groups(self, names: list[str], *, own: set[str]) -> list[tables.Group]:
        """The groups of these names; that of the user's own name may be named and goes without saying."""
        group, wanted = tables.Group, set(names) - own
        # The lock keeps the groups from being deleted before this user is in them.
        found = self._session.scalars(
            select(group)
            .where(group.name.in_(wanted))
            .order_by(group.id)
            .with_for_update(read=True, key_share=True)
        ).all()
        missing = sorted(wanted - {row.name for row in found})
        if missing:
            raise Invalid(
                f"There is no group {missing[0]}.",
                faults=[Fault("groups", "names a group that is not there")],
            )
        return list(found)

    def _flushed(self, user: tables.User) -> tables.User:
        try:
            self._session.flush()
        except IntegrityError as error:
            raise _taken(user.username) from error
        self._session.refresh(user, ["groups"])
        return user


def _refuse_promotion(user: tables.User, given: UserPatch) -> None:
    """Whoever is no administrator may send what they have, and nothing else."""
    role = given.role in {None, user.role}
    name = given.username in {None, user.username}
    groups = given.groups is None or set(given.groups) == {group.name for group in user.groups}
    if not (role and name and groups):
        raise Forbidden("Only an administrator may change a username, a role or groups.")


def _refuse_others(caller: Caller, user_id: int) -> None:
    # In the same words whether or not there is such a user.
    if not (caller.is_admin or (caller.kind == "user" and caller.id == user_id)):
        raise Forbidden("This needs an administrator's rights.")


def _taken(username: str) -> Conflict:
    return Conflict(f'There is a user or a group "{username}" already.')


def _users() -> Select[tables.User]:
    return select(tables.User).options(selectinload(tables.User.groups))


Users = Annotated[UserRepository, repository(UserRepository)]
router = APIRouter(tags=["Users"])


@router.post("/users", responses={402: {}, 409: {}, 429: {}})
def create_user(caller: Admin, request: Request, database: DatabaseDep, given: UserIn) -> UserOut:
    """Create a user, who gets a group of the same name besides the named ones. 402 beyond the licenses."""
    passwords: Passwords = request.app.state.passwords
    hashed = None if given.password is None else passwords.hash_new(given.password)
    with database.writing() as session:
        user = UserRepository(session).add(
            given.username,
            hashed,
            role=given.role or "User",
            groups=given.groups or [],
            hide_welcome_popup=bool(given.hide_welcome_popup),
        )
        return UserOut.model_validate(user)


@router.get("/users")
def list_users(caller: Admin, users: Users) -> list[UserOut]:
    """All users, by id."""
    return [UserOut.model_validate(user) for user in users.search()]


@router.get("/users/{user_id}")
def get_user(caller: UserPolicy, users: Users, user_id: Id) -> UserOut:
    """One user: administrators see all, others themselves."""
    _refuse_others(caller, user_id)
    return UserOut.model_validate(users.get(user_id))


@router.put("/users/{user_id}", responses={402: {}, 409: {}, 429: {}})
def update_user(
    caller: UserPolicy, request: Request, database: DatabaseDep, user_id: Id, given: UserPatch
) -> UserOut:
    """Change a user; fields that are left out stay as they are. Others than administrators change their own
    password and welcome message. A new password ends the user's tokens; a new username renames the user's own
    group. The last administrator keeps the role (409)."""
    _refuse_others(caller, user_id)
    passwords: Passwords = request.app.state.passwords
    hashed = None if given.password is None else passwords.hash_new(given.password)
    with database.writing() as session:
        user = UserRepository(session).change(user_id, given, caller, password_hash=hashed)
        return UserOut.model_validate(user)


@router.delete("/users/{user_id}", responses={409: {}})
def delete_user(caller: Admin, users: Users, user_id: Id) -> dict[str, Any]:
    """Delete a user, which ends their tokens, and their own group unless models, runs or others are in it. The
    last administrator stays (409)."""
    users.remove(user_id)
    return {}


@router.post("/users/{user_id}/welcome_popup")
def set_welcome_popup(caller: UserPolicy, users: Users, user_id: Id, given: WelcomePopupIn) -> UserOut:
    """Show or hide the welcome message: administrators for all, others for themselves."""
    _refuse_others(caller, user_id)
    return UserOut.model_validate(users.hide_welcome_popup(user_id, is_hidden=given.hide_welcome_popup))
