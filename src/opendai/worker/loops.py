"""The background work of a server, each kind in a thread of its own or in several."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import delete, select

from opendai import tables
from opendai.credentials.key_rotation import has_keys_to_retire, retire_keys
from opendai.credentials.keys import SECONDS_BETWEEN_READS
from opendai.database import database_clock
from opendai.parts import Parts
from opendai.resources.ai_servers.calls import ServerCalls
from opendai.resources.executions.claims import waits_for
from opendai.resources.executions.endings import expire_leases
from opendai.storage import FileStore
from opendai.worker.drafting import draft, next_task
from opendai.worker.expiry import delete_expired
from opendai.worker.walker import walk_one

_log = structlog.get_logger("opendai.worker")
_WALKER_PAUSE = 0.25
_DRAFTER_PAUSE = 0.5
_SWEEP_PAUSE = 60.0
_RETIREMENT_PAUSE = 60.0
_ORPHAN_AGE = timedelta(hours=1)


class Worker:
    """Ends leases, walks runs without an agent, has test cases drafted, removes what has had its time, and tends
    the keys.

    Every piece of work is one conditional change, so any number of servers may do it side by side.
    """

    def __init__(self, parts: Parts) -> None:
        settings = parts.settings
        self._database = parts.database
        self._store = parts.store
        self._ai_server_calls = ServerCalls(parts.ai_servers, parts.secret_key)
        self._settings = settings
        self._stopping = threading.Event()
        self._turn_to_look = threading.Lock()
        work = {
            "leases": (self._end_leases, settings.reaper_seconds),
            "walks": (self._walk_waiting, _WALKER_PAUSE),
            "objects": (self.sweep_objects, _SWEEP_PAUSE),
            "logins": (self.sweep_logins, _SWEEP_PAUSE),
            "keys": (parts.keys.read, SECONDS_BETWEEN_READS),
            "old keys": (self._retire_keys, _RETIREMENT_PAUSE),
        }
        # One that waits for an AI server must not keep the others waiting.
        for number in range(1, settings.ai_server_calls + 1):
            work[f"drafts-{number}"] = (self._draft_waiting, 0.0)
        self._threads = [
            threading.Thread(
                target=self._repeat, args=(name, function, pause), name=f"opendai-{name}", daemon=True
            )
            for name, (function, pause) in work.items()
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def _repeat(self, name: str, function: Callable[[], None], pause: float) -> None:
        while not self._stopping.is_set():
            try:
                function()
            except Exception:  # noqa: BLE001 - it is logged, and the loop is the last place to be
                # An outage of the database or a fault of ours must not end the work for good.
                _log.exception("background work failed", work=name)
                self._stopping.wait(5.0)
            self._stopping.wait(pause)

    def _end_leases(self) -> None:
        run = tables.Run
        with self._database.reading() as session:
            is_due = session.scalar(
                select(run.id).where(run.status == "RUNNING", run.lease_ends < database_clock()).limit(1)
            )
        if is_due is None:
            return
        with self._database.writing() as session:
            _log.warning("leases ended", runs=expire_leases(session, attempts=self._settings.run_attempts))

    def _walk_waiting(self) -> None:
        while not self._stopping.is_set():
            with self._database.reading() as session:
                if session.scalar(select(tables.Run.id).where(waits_for(None)).limit(1)) is None:
                    return
            walk_one(
                self._database,
                lease_seconds=max(self._settings.lease_seconds, 30),
                stopping=self._stopping,
            )

    def _draft_waiting(self) -> None:
        lease_seconds = self._settings.lease_seconds
        # One drafter looks at a time. The others wait for their turn, which costs the database nothing.
        with self._turn_to_look:
            if self._stopping.is_set():
                return
            task = next_task(self._database, lease_seconds=lease_seconds)
            if task is None:
                self._stopping.wait(_DRAFTER_PAUSE)
                return
        draft(
            self._database, self._ai_server_calls, task, lease_seconds=lease_seconds, stopping=self._stopping
        )

    def sweep_logins(self) -> None:
        """Remove logins, codes, and what else is kept of them, once their time is over."""
        delete_expired(self._database, self._stopping)

    def _retire_keys(self) -> None:
        with self._database.reading() as session:
            if not has_keys_to_retire(session):
                return
        with self._database.writing() as session:
            _log.info("keys were disabled, as their tokens have run out", keys=retire_keys(session))

    def sweep_objects(self) -> None:
        """Remove objects whose row is gone or was never written."""
        self._delete_doomed()
        self._delete_orphans()
        if isinstance(self._store, FileStore):
            self._store.sweep_temporary(datetime.now(UTC) - _ORPHAN_AGE)

    def _delete_doomed(self) -> None:
        doomed = tables.DoomedObject
        while not self._stopping.is_set():
            with self._database.reading() as session:
                rows = session.execute(
                    select(doomed.id, doomed.object_key).order_by(doomed.id).limit(500)
                ).all()
            if not rows:
                return
            for row in rows:
                self._store.delete(row.object_key)
            with self._database.writing() as session:
                session.execute(delete(doomed).where(doomed.id.in_([row.id for row in rows])))

    def _delete_orphans(self) -> None:
        """Objects whose row was never written, because the server ended between the two."""
        batch: list[str] = []
        for key in self._store.keys("screenshots/", older_than=datetime.now(UTC) - _ORPHAN_AGE):
            batch.append(key)
            if len(batch) == 500:
                self._delete_unknown(batch)
                batch = []
            if self._stopping.is_set():
                return
        self._delete_unknown(batch)

    def _delete_unknown(self, keys: list[str]) -> None:
        if not keys:
            return
        with self._database.reading() as session:
            known = set(
                session.scalars(
                    select(tables.Screenshot.object_key).where(tables.Screenshot.object_key.in_(keys))
                )
            )
        for key in keys:
            if key not in known:
                self._store.delete(key)
                _log.info("an orphan was deleted", key=key)
