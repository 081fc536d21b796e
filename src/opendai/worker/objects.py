"""Objects of the store whose row is gone or was never written."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import structlog

from opendai.errors import Unavailable
from opendai.parts import Parts
from opendai.resources.runs.screenshots.objects import KEY_PREFIX, doomed_after, forget_doomed, without_row
from opendai.storage import FileStore, ObjectStore

_log = structlog.get_logger("opendai.worker")
_BATCH = 500
_ORPHAN_AGE = timedelta(hours=1)


def sweep_objects(parts: Parts, stopping: threading.Event) -> None:
    _delete_doomed(parts, stopping)
    _delete_orphans(parts, stopping)
    if isinstance(parts.store, FileStore):
        parts.store.sweep_temporary(datetime.now(UTC) - _ORPHAN_AGE)


def _delete_doomed(parts: Parts, stopping: threading.Event) -> None:
    last = 0
    while not stopping.is_set():
        with parts.database.reading() as session:
            doomed = doomed_after(session, last, limit=_BATCH)
        if not doomed:
            return
        gone = [row.id for row in doomed if _is_deleted(parts.store, row.key)]
        with parts.database.writing() as session:
            forget_doomed(session, gone)
        # An object that cannot be deleted now stays written down, and does not keep the others.
        last = doomed[-1].id


def _delete_orphans(parts: Parts, stopping: threading.Event) -> None:
    """A server may end between an object and its row; the row is then never written."""
    keys = iter(parts.store.keys(KEY_PREFIX, older_than=datetime.now(UTC) - _ORPHAN_AGE))
    for batch in _batches(keys):
        if stopping.is_set():
            return
        with parts.database.reading() as session:
            orphans = without_row(session, batch)
        for key in orphans:
            if _is_deleted(parts.store, key):
                _log.info("an orphan was deleted", key=key)


def _batches(keys: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(keys, _BATCH)):
        yield batch


def _is_deleted(store: ObjectStore, key: str) -> bool:
    try:
        store.delete(key)
    except (OSError, Unavailable) as error:
        _log.warning("an object could not be deleted and is tried again", key=key, reason=str(error))
        return False
    return True
