"""Removes what is kept of logins for a time only, once that time is over."""

import threading

from sqlalchemy import ColumnElement, delete, select, tuple_
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import Database, Table, database_clock

_PASSING: tuple[type[Table], ...] = (
    tables.AuthorizationCode,
    tables.Login,
    tables.BrowserSession,
    tables.RevokedToken,
    tables.LoginAttempts,
)
_BATCH = 500
# A token ends by the clock of a server and its row by that of the database: they may differ a little.
_MARGIN_SECONDS = 60.0


def delete_expired(database: Database, stopping: threading.Event) -> None:
    """Delete the rows whose time is over, in batches, so that nobody waits long for the lock."""
    for table in _PASSING:
        is_more = _has_expired(database, table)
        while is_more and not stopping.is_set():
            with database.writing() as session:
                is_more = _delete_batch(session, table) == _BATCH


def _has_expired(database: Database, table: type[Table]) -> bool:
    # A look takes no lock, and most of the time there is nothing.
    query = select(*table.__table__.primary_key).where(_is_over(table)).limit(1)
    with database.reading() as session:
        return session.execute(query).first() is not None


def _delete_batch(session: Session, table: type[Table]) -> int:
    key = tuple(table.__table__.primary_key)
    # Another server may be at it too: each takes rows that the other one has not.
    batch = select(*key).where(_is_over(table)).limit(_BATCH).with_for_update(skip_locked=True)
    deleted = delete(table).where(tuple_(*key).in_(batch)).returning(key[0])
    return len(session.execute(deleted.execution_options(synchronize_session=False)).all())


def _is_over(table: type[Table]) -> ColumnElement[bool]:
    is_over: ColumnElement[bool] = table.__table__.c.expires < database_clock() - _MARGIN_SECONDS
    return is_over
