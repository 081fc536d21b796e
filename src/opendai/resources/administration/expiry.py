"""Rows whose time is over. `tables.PASSING` lists the tables that have such rows."""

from sqlalchemy import ColumnElement, delete, select, tuple_
from sqlalchemy.orm import Session

from opendai.database import Table, database_clock

BATCH = 500
# A token ends by the clock of a server and its row by that of the database: they may differ a little.
_MARGIN_SECONDS = 60.0


def has_expired(session: Session, table: type[Table]) -> bool:
    """Whether the table has a row whose time is over."""
    query = select(*table.__table__.primary_key).where(_is_over(table)).limit(1)
    return session.execute(query).first() is not None


def delete_batch(session: Session, table: type[Table]) -> int:
    """Delete up to `BATCH` rows whose time is over; how many there were."""
    key = tuple(table.__table__.primary_key)
    # Another server may be at it too: each takes rows that the other one has not.
    batch = select(*key).where(_is_over(table)).limit(BATCH).with_for_update(skip_locked=True)
    deleted = delete(table).where(tuple_(*key).in_(batch)).returning(key[0])
    return len(session.execute(deleted.execution_options(synchronize_session=False)).all())


def _is_over(table: type[Table]) -> ColumnElement[bool]:
    is_over: ColumnElement[bool] = table.__table__.c.expires < database_clock() - _MARGIN_SECONDS
    return is_over
