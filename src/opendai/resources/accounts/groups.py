"""Groups: the people who share models. Each user has one of the user's own name."""

from typing import Annotated, Any

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.audit import Audit, AuditDep
from opendai.auth.callers import Admin, Caller, User
from opendai.errors import Fault, Invalid, NotFound
from opendai.parts import repository
from opendai.wire.inputs import Id, Input, Name, Output
from opendai.wire.routing import Router


class GroupIn(Input):
    groupname: Name


class GroupOut(Output):
    id: int
    groupname: str


class GroupRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, group_id: int, caller: Caller) -> GroupOut:
        row = self._session.execute(_groups(caller).where(tables.Group.id == group_id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no group {group_id}.")
        return GroupOut.model_validate(row)

    def search(self, caller: Caller) -> list[GroupOut]:
        rows = self._session.execute(_groups(caller).order_by(tables.Group.id))
        return [GroupOut.model_validate(row) for row in rows]

    def add(self, given: GroupIn, audit: Audit) -> GroupOut:
        group = tables.Group(name=self._free(given.groupname))
        self._session.add(group)
        self._flush(given.groupname)
        audit.record("group.create", _target(group), groupname=group.name)
        return GroupOut(id=group.id, groupname=group.name)

    def rename(self, group_id: int, given: GroupIn, audit: Audit) -> GroupOut:
        group = self._lock(group_id)
        if given.groupname != group.name:
            self._refuse_own(group)
            change = {"from": group.name, "to": given.groupname}
            group.name = self._free(given.groupname)
            self._flush(given.groupname)
            audit.record("group.update", _target(group), groupname=change)
        return GroupOut(id=group.id, groupname=group.name)

    def remove(self, group_id: int, audit: Audit) -> None:
        group = self._lock(group_id)
        self._refuse_own(group)
        if is_used(self._session, group.id):
            raise Invalid(f'The group "{group.name}" holds models or runs, which would be lost with it.')
        self._session.execute(delete(tables.Group).where(tables.Group.id == group.id))
        audit.record("group.delete", _target(group), groupname=group.name)

    def _lock(self, group_id: int) -> tables.Group:
        # With the lock held nothing new can point at the group until this transaction has ended.
        group = self._session.scalar(
            select(tables.Group).where(tables.Group.id == group_id).with_for_update()
        )
        if group is None:
            raise NotFound(f"There is no group {group_id}.")
        return group

    def _refuse_own(self, group: tables.Group) -> None:
        """A user's own group is renamed and deleted with the user: its name is what it is known by."""
        if self._session.scalar(select(tables.User.id).where(tables.User.username == group.name)) is not None:
            raise Invalid(f'The group "{group.name}" is a user\'s own: it changes with the user.')

    def _free(self, name: str) -> str:
        """The name, if it can be a group's. A user's name is taken: it is the one of the user's own group."""
        check_name(name, field="groupname")
        if is_taken(self._session, name):
            raise _taken(name)
        return name

    def _flush(self, name: str) -> None:
        try:
            self._session.flush()
        except IntegrityError as error:
            raise _taken(name) from error


def check_name(name: str, *, field: str) -> None:
    """Raise Invalid for what cannot be the name of a user, and so neither the name of a group."""
    if not name.strip() or len(name) > 255 or not name.isprintable():
        problem = "is one line of 1 to 255 characters"
        raise Invalid(f"A {field} {problem}.", faults=[Fault(field, problem)])


def is_taken(session: Session, name: str) -> bool:
    """Whether a user or a group has this name: they share one set of names."""
    by_user = exists().where(tables.User.username == name)
    by_group = exists().where(tables.Group.name == name)
    return bool(session.scalar(select(or_(by_user, by_group))))


def is_used(session: Session, group_id: int) -> bool:
    """Whether models or runs are in the group; a run stays in the group that its model has left."""
    models = exists().where(tables.Model.group_id == group_id)
    runs = exists().where(tables.Run.group_id == group_id)
    return bool(session.scalar(select(or_(models, runs))))


def _target(group: tables.Group) -> str:
    return f"group:{group.id}"


def _taken(name: str) -> Invalid:
    return Invalid(f'There is a user or a group "{name}" already.', faults=[Fault("groupname", "is taken")])


def _groups(caller: Caller) -> Any:
    group = tables.Group
    return select(group.id, group.name.label("groupname")).where(caller.sees(group.id))


Groups = Annotated[GroupRepository, repository(GroupRepository)]
router = Router(tags=["Groups"])


@router.post("/groups")
def create_group(caller: Admin, audit: AuditDep, groups: Groups, given: GroupIn) -> GroupOut:
    """Create a group. Users and groups share one set of names."""
    return groups.add(given, audit)


@router.get("/groups")
def list_groups(caller: User, groups: Groups) -> list[GroupOut]:
    """The caller's groups, by id; an administrator sees all."""
    return groups.search(caller)


@router.get("/groups/{id}")
def get_group(caller: User, groups: Groups, id: Id) -> GroupOut:
    """One group."""
    return groups.get(id, caller)


@router.put("/groups/{id}")
def update_group(caller: Admin, audit: AuditDep, groups: Groups, id: Id, given: GroupIn) -> GroupOut:
    """Rename a group. A user's own group is renamed with the user."""
    return groups.rename(id, given, audit)


@router.delete("/groups/{id}")
def delete_group(caller: Admin, audit: AuditDep, groups: Groups, id: Id) -> dict[str, Any]:
    """Delete a group that holds neither models nor runs and is no user's own."""
    groups.remove(id, audit)
    return {}
