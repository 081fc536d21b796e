"""Rows that are kept for a time only go once that time is over."""

import threading

from opendai.parts import Parts
from opendai.resources.administration.expiry import BATCH, delete_batch, has_expired
from opendai.tables import PASSING


def delete_expired(parts: Parts, stopping: threading.Event) -> None:
    """Delete them in batches, so that no one waits long for the lock."""
    for table in PASSING:
        with parts.database.reading() as session:
            # A look takes no lock, and most of the time there is nothing.
            is_more = has_expired(session, table)
        while is_more and not stopping.is_set():
            with parts.database.writing() as session:
                is_more = delete_batch(session, table) == BATCH
