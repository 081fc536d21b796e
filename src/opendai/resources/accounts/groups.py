"""Groups: the people who share models. Each user has a group of the same name."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
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
    name: Name = Field(alias="groupname")


class GroupOut(Output):
    id: int
    name: str = Field(serialization_alias="groupname")


class GroupRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, group_id: int, caller: Caller) -> tables.Group:
        query = select(tables.Group).where(tables.Group.id == group_id, caller.sees(tables.Group.id))
        group = self._session.scalar(query)
        if group is None:
            raise _missing(group_id)
        return group

    def search(self, caller: Caller) -> Sequence[tables.Group]:
        query = select(tables.Group).where(caller.sees(tables.Group.id)).order_by(tables.Group.id)
        return self._session.scalars(query).all()

    def add(self, name: str, audit: Audit) -> tables.Group:
        self._refuse_taken(name)
        group = tables.Group(name=name)
        self._session.add(group)
        self._flush(name)
        audit.record("group.create", _target(group), groupname=name)
        return group

    def rename(self, group_id: int, name: str, audit: Audit) -> tables.Group:
        group = self._lock(group_id)
        if name != group.name:
            self._refuse_own(group)
            self._refuse_taken(name)
            change = {"from": group.name, "to": name}
            group.name = name
            self._flush(name)
            audit.record("group.update", _target(group), groupname=change)
        return group

    def remove(self, group_id: int, audit: Audit) -> None:
        group = self._lock(group_id)
        self._refuse_own(group)
        if is_used(self._session, group.id):
            raise Invalid(f'The group "{group.name}" holds models or runs, which would be lost with it.')
        self._session.execute(delete(tables.Group).where(tables.Group.id == group.id))
        audit.record("group.delete", _target(group), groupname=group.name)

    def _lock(self, group_id: int) -> tables.Group:
        # The lock keeps other transactions from adding models and runs to the group.
        group = self._session.scalar(
            select(tables.Group).where(tables.Group.id == group_id).with_for_update()
        )
        if group is None:
            raise _missing(group_id)
        return group

    def _refuse_own(self, group: tables.Group) -> None:
        """Raise Invalid for a user's own group, which is renamed and deleted with the user."""
        if self._session.scalar(select(tables.User.id).where(tables.User.username == group.name)) is not None:
            raise Invalid(f'The group "{group.name}" is a user\'s own: it changes with the user.')

    def _refuse_taken(self, name: str) -> None:
        check_name(name, field="groupname")
        if is_taken(self._session, name):
            raise _taken(name)

    def _flush(self, name: str) -> None:
        try:
            self._session.flush()
        except IntegrityError as error:
            raise _taken(name) from error


def check_name(name: str, *, field: str) -> None:
    """Raise Invalid for a text that is not allowed as the name of a user or a group."""
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


def _missing(group_id: int) -> NotFound:
    return NotFound(f"There is no group {group_id}.")


Groups = Annotated[GroupRepository, repository(GroupRepository)]
router = Router(tags=["Groups"])


@router.post("/groups")
def create_group(caller: Admin, audit: AuditDep, groups: Groups, given: GroupIn) -> GroupOut:
    """Create a group. Users and groups share one set of names."""
    return GroupOut.model_validate(groups.add(given.name, audit))


@router.get("/groups")
def list_groups(caller: User, groups: Groups) -> list[GroupOut]:
    """The caller's groups, by id; an administrator sees all."""
    return [GroupOut.model_validate(group) for group in groups.search(caller)]


@router.get("/groups/{id}")
def get_group(caller: User, groups: Groups, id: Id) -> GroupOut:
    """One group."""
    return GroupOut.model_validate(groups.get(id, caller))


@router.put("/groups/{id}")
def update_group(caller: Admin, audit: AuditDep, groups: Groups, id: Id, given: GroupIn) -> GroupOut:
    """Rename a group. A user's own group is renamed with the user."""
    return GroupOut.model_validate(groups.rename(id, given.name, audit))


@router.delete("/groups/{id}")
def delete_group(caller: Admin, audit: AuditDep, groups: Groups, id: Id) -> dict[str, Any]:
    """Delete a group without models and runs. A user's own group is deleted with the user."""
    groups.remove(id, audit)
    return {}
