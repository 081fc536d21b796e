"""Ends the leases of agents that have not reported in time. Their runs wait again, or end."""

import threading

import structlog

from opendai.parts import Parts
from opendai.resources.executions.endings import expire_leases
from opendai.resources.executions.queue import has_ended_lease

_log = structlog.get_logger("opendai.worker")


def end_leases(parts: Parts, _stopping: threading.Event) -> None:
    with parts.database.reading() as session:
        # Reading takes no lock, and most of the time no lease has ended.
        if not has_ended_lease(session):
            return
    with parts.database.writing() as session:
        _log.warning("leases ended", runs=expire_leases(session, attempts=parts.settings.run_attempts))
