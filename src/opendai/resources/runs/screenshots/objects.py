"""The objects that hold the pictures: which ones have a row, and which ones are to be deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import ColumnElement, bindparam, delete, insert, select
from sqlalchemy.orm import Session

from opendai.resources.runs.screenshots.pictures import ENDINGS
from opendai.tables import DoomedObject, Run, Screenshot

KEY_PREFIX = "screenshots/"


@dataclass(frozen=True, slots=True)
class Doomed:
    """An object to be deleted, because the row that pointed at it is gone."""

    id: int
    key: str


_DOOMED_AFTER = (
    select(DoomedObject.id, DoomedObject.object_key)
    .where(DoomedObject.id > bindparam("number"))
    .order_by(DoomedObject.id)
    .limit(bindparam("limit"))
)


def fresh_key(artifact_id: str, content_type: str) -> str:
    """A key that no other object has, so that an upload never overwrites an object."""
    return f"{KEY_PREFIX}{artifact_id[:2]}/{uuid4()}.{ENDINGS[content_type]}"


def doom_objects(session: Session, of_runs: ColumnElement[bool]) -> None:
    """Note the objects of runs that are about to be deleted. The worker deletes the objects after the commit."""
    keys = select(Screenshot.object_key, Screenshot.created_at).join(Run).where(of_runs)
    session.execute(insert(DoomedObject).from_select(["object_key", "created_at"], keys))


def doomed_after(session: Session, number: int, *, limit: int) -> list[Doomed]:
    """The next objects to be deleted, in the order of their ids."""
    rows = session.execute(_DOOMED_AFTER, {"number": number, "limit": limit})
    return [Doomed(*row) for row in rows]


def forget_doomed(session: Session, ids: Sequence[int]) -> None:
    """Call this once these objects are deleted."""
    session.execute(delete(DoomedObject).where(DoomedObject.id.in_(ids)))


def without_row(session: Session, keys: Sequence[str]) -> list[str]:
    """Those of the keys that no row points at."""
    key = Screenshot.object_key
    known = set(session.scalars(select(key).where(key.in_(keys))))
    return [each for each in keys if each not in known]
