"""The threads that run the jobs."""

import threading

import structlog

from opendai.parts import Parts
from opendai.worker.jobs import Job, jobs_of

_log = structlog.get_logger("opendai.worker")
_PAUSE_AFTER_FAILURE_SECONDS = 5.0
_LONGEST_STOP_SECONDS = 10.0


class Worker:
    """Repeats each job in its own thread until the server stops."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(job,), name=f"opendai-{job.name}", daemon=True)
            for job in jobs_of(parts.settings)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=_LONGEST_STOP_SECONDS)

    def _repeat(self, job: Job) -> None:
        while not self._stopping.is_set():
            try:
                job.function(self._parts, self._stopping)
            except Exception:  # noqa: BLE001 - a thread has no caller that could catch it
                # An outage of the database or a fault of ours must not end the job.
                _log.exception("background work failed", work=job.name)
                self._stopping.wait(_PAUSE_AFTER_FAILURE_SECONDS)
            self._stopping.wait(job.pause)
