"""Deletes objects of the store that no row points at."""

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
# A row is written moments after its object. After this time the row will not come.
_ORPHAN_AGE = timedelta(hours=1)


def sweep_objects(parts: Parts, stopping: threading.Event) -> None:
    """Delete objects whose row was deleted, objects whose row was never written, and unfinished files."""
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
        # The row of an object that could not be deleted stays for the next call, and does not hold up the others.
        last = doomed[-1].id


def _delete_orphans(parts: Parts, stopping: threading.Event) -> None:
    """Delete objects without a row: a server that ends between the upload and the insert leaves one."""
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
        _log.warning(
            "an object could not be deleted, and the next sweep tries again", key=key, reason=str(error)
        )
        return False
    return True
