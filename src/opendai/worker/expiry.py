"""Deletes rows whose time has passed, such as logins and codes."""

import threading

from opendai.parts import Parts
from opendai.resources.administration.expiry import delete_batch, has_expired
from opendai.tables import PASSING


def delete_expired(parts: Parts, stopping: threading.Event) -> None:
    """Delete in batches, each in its own transaction, so that no request waits long for the lock."""
    for table in PASSING:
        with parts.database.reading() as session:
            # Reading takes no lock, and most of the time no row has expired.
            is_more = has_expired(session, table)
        while is_more and not stopping.is_set():
            with parts.database.writing() as session:
                is_more = delete_batch(session, table)
