"""Users as they are stored, and the rules for changing them."""

from sqlalchemy import Select, delete, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from opendai import tables
from opendai.auth.audit import Audit
from opendai.auth.callers import Caller
from opendai.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from opendai.resources.accounts.groups import check_name, is_taken, is_used
from opendai.resources.accounts.users.schemas import UserPatch
from opendai.resources.administration.licenses.limits import check_users


class UserRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, user_id: int) -> tables.User:
        user = self._session.scalar(_users().where(tables.User.id == user_id))
        if user is None:
            raise NotFound(f"There is no user {user_id}.")
        return user

    def get_named(self, username: str) -> tables.User:
        user = self._session.scalar(_users().where(tables.User.username == username))
        if user is None:
            raise NotFound(f"There is no user {username}.")
        return user

    def search(self) -> list[tables.User]:
        return list(self._session.scalars(_users().order_by(tables.User.id)))

    def add(
        self,
        username: str,
        password_hash: str | None,
        audit: Audit,
        *,
        role: str,
        groups: list[str],
        hide_welcome_popup: bool = False,
        outside_subject: str | None = None,
    ) -> tables.User:
        """Add a user and a group of the same name; the user is in it and in the named groups, which must exist."""
        check_name(username, field="username")
        if is_taken(self._session, username):
            raise _taken(username)
        others = self._groups(groups, own={username})
        if role != "None":
            check_users(self._session)
        user = tables.User(
            username=username,
            password_hash=password_hash,
            outside_subject=outside_subject,
            role=role,
            hide_welcome_popup=hide_welcome_popup,
            groups=[tables.Group(name=username), *others],
        )
        self._session.add(user)
        self._flush(user)
        audit.record("user.create", _target(user), **_facts(user))
        return user

    def change(
        self, user_id: int, given: UserPatch, caller: Caller, audit: Audit, *, password_hash: str | None
    ) -> tables.User:
        user = self._lock(user_id)
        own, before = self._own_group(user), _facts(user)
        if not caller.is_admin:
            _refuse_promotion(user, given)
        if password_hash is not None:
            self._set_password(user, password_hash)
        if given.role is not None and given.role != user.role:
            self._change_role(user, given.role)
        if given.groups is not None:
            others = self._groups(given.groups, own={user.username, given.username or user.username})
            user.groups = [own, *others] if own else others
        if given.username is not None and given.username != user.username:
            self._rename(user, own, given.username)
        if given.hide_welcome_popup is not None:
            user.hide_welcome_popup = given.hide_welcome_popup
        self._flush(user)
        changes = _changes(before, _facts(user))
        if password_hash is not None:
            changes["password_set"] = True
        if changes:
            audit.record("user.update", _target(user), **changes)
        return user

    def hide_welcome_popup(self, user_id: int, *, is_hidden: bool) -> tables.User:
        user = tables.User
        changed = self._session.scalar(
            update(user).where(user.id == user_id).values(hide_welcome_popup=is_hidden).returning(user.id)
        )
        if changed is None:
            raise NotFound(f"There is no user {user_id}.")
        return self.get(user_id)

    def set_password(self, username: str, password_hash: str, audit: Audit) -> None:
        """Set a new password and end every login and browser session of the user.

        Conflict for a user of an outside identity provider.
        """
        user = self.get_named(username)
        self._set_password(user, password_hash)
        audit.record("user.update", _target(user), password_set=True)

    def remove(self, user_id: int, audit: Audit) -> None:
        """Delete a user. Delete the user's own group too, unless it has models, runs or other members."""
        user = self._lock(user_id)
        self._keep_an_admin(user)
        own = self._own_group(user)
        self._session.execute(delete(tables.User).where(tables.User.id == user_id))
        if own is not None and not is_used(self._session, own.id):
            has_members = exists().where(tables.Membership.group_id == own.id)
            self._session.execute(delete(tables.Group).where(tables.Group.id == own.id, ~has_members))
        audit.record("user.delete", _target(user), **_facts(user))

    def _set_password(self, user: tables.User, password_hash: str) -> None:
        if user.outside_subject is not None:
            # With a password the user could still log in after the provider has locked the account.
            raise Conflict(f"{user.username} logs in at the identity provider and has no password here.")
        user.password_hash = password_hash
        for table in (tables.BrowserSession, tables.Login):
            self._session.execute(delete(table).where(table.user_id == user.id))

    def _lock(self, user_id: int) -> tables.User:
        """Lock the user and every administrator, so that one transaction at a time decides who is the last.

        The rows are locked in the order of their ids, so that two requests cannot wait for each other.
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
            check_users(self._session)
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
        """The groups with these names. The user's own group may be among the names and is left out."""
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

    def _flush(self, user: tables.User) -> None:
        try:
            self._session.flush()
        except IntegrityError as error:
            raise _taken(user.username) from error
        self._session.refresh(user, ["groups"])


def _refuse_promotion(user: tables.User, given: UserPatch) -> None:
    """Raise Forbidden if a user who is no administrator sends other values than the present ones."""
    role = given.role in {None, user.role}
    name = given.username in {None, user.username}
    groups = given.groups is None or set(given.groups) == {group.name for group in user.groups}
    if not (role and name and groups):
        raise Forbidden("Only an administrator may change a username, a role or groups.")


def _target(user: tables.User) -> str:
    return f"user:{user.id}"


def _facts(user: tables.User) -> dict[str, object]:
    """The values that decide what a user may do. The user's own group is left out."""
    groups = sorted(group.name for group in user.groups if group.name != user.username)
    return {"username": user.username, "role": user.role, "groups": groups}


def _changes(before: dict[str, object], after: dict[str, object]) -> dict[str, object]:
    return {name: {"from": before[name], "to": after[name]} for name in after if before[name] != after[name]}


def _taken(username: str) -> Conflict:
    return Conflict(f'There is a user or a group "{username}" already.')


def _users() -> Select[tables.User]:
    return select(tables.User).options(selectinload(tables.User.groups))
