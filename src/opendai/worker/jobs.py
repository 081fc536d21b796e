"""The background work of a server. A new job is a module beside this one and an entry in this list."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from opendai.credentials.keys import SECONDS_BETWEEN_READS
from opendai.parts import Parts
from opendai.settings import Settings
from opendai.worker.drafts import Drafters
from opendai.worker.expiry import delete_expired
from opendai.worker.keys import read_keys, retire_old_keys
from opendai.worker.leases import end_leases
from opendai.worker.objects import sweep_objects
from opendai.worker.walks import walk_waiting


@dataclass(frozen=True, slots=True)
class Job:
    """A function that is called again and again, with a pause in seconds after each call.

    Every server runs every job, so each change that a job makes is a conditional one. A job that takes long returns
    soon after the event is set.
    """

    name: str
    function: Callable[[Parts, threading.Event], None]
    pause: float


def jobs_of(settings: Settings) -> list[Job]:
    """Every job of a server; each one gets its own thread."""
    drafters = Drafters()
    return [
        Job("leases", end_leases, settings.reaper_seconds),
        Job("walks", walk_waiting, 0.25),
        Job("objects", sweep_objects, 60.0),
        Job("expiry", delete_expired, 60.0),
        Job("keys", read_keys, SECONDS_BETWEEN_READS),
        Job("old keys", retire_old_keys, 60.0),
        # Several threads, because a draft that waits for an AI server must not delay the others.
        *(
            Job(f"drafts {number}", drafters.draft_waiting, 0.0)
            for number in range(1, settings.ai_server_calls + 1)
        ),
    ]
