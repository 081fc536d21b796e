"""Deletes rows whose time has passed. `tables.PASSING` lists the tables that have such rows."""

from sqlalchemy import ColumnElement, delete, select, tuple_
from sqlalchemy.orm import Session

from opendai.database import Table, database_clock

_BATCH = 500
# A token ends by the clock of a server and its row by the clock of the database. The two may differ a little.
_MARGIN_SECONDS = 60.0


def has_expired(session: Session, table: type[Table]) -> bool:
    query = select(*table.__table__.primary_key).where(_has_passed(table)).limit(1)
    return session.execute(query).first() is not None


def delete_batch(session: Session, table: type[Table]) -> bool:
    """Delete a batch of expired rows; return whether there may be more of them."""
    key = tuple(table.__table__.primary_key)
    # Another server may delete at the same time: each takes rows that the other one has not locked.
    batch = select(*key).where(_has_passed(table)).limit(_BATCH).with_for_update(skip_locked=True)
    deleted = delete(table).where(tuple_(*key).in_(batch)).returning(key[0])
    rows = session.execute(deleted.execution_options(synchronize_session=False)).all()
    return len(rows) == _BATCH


def _has_passed(table: type[Table]) -> ColumnElement[bool]:
    has_passed: ColumnElement[bool] = table.__table__.c.expires < database_clock() - _MARGIN_SECONDS
    return has_passed
