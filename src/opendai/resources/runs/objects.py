"""Which objects of the store have a row, and which are written down to be deleted."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from opendai import tables


@dataclass(frozen=True, slots=True)
class Doomed:
    """An object to be deleted, because the row that pointed at it is gone."""

    id: int
    key: str


def doomed_after(session: Session, number: int, *, limit: int) -> list[Doomed]:
    """The next objects to be deleted, by the ids under which they are written down."""
    row = tables.DoomedObject
    query = select(row.id, row.object_key).where(row.id > number).order_by(row.id).limit(limit)
    return [Doomed(row_id, key) for row_id, key in session.execute(query)]


def forget_doomed(session: Session, ids: Sequence[int]) -> None:
    """To be called once these objects are deleted."""
    session.execute(delete(tables.DoomedObject).where(tables.DoomedObject.id.in_(ids)))


def without_row(session: Session, keys: Sequence[str]) -> list[str]:
    """Those of the keys that no screenshot has."""
    key = tables.Screenshot.object_key
    known = set(session.scalars(select(key).where(key.in_(keys))))
    return [each for each in keys if each not in known]
