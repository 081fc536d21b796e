"""Sends a run's numbered events, in order and each once, and keeps the lease meanwhile."""

import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Self

from opendai_client.agent.interruption import Interruption
from opendai_client.agent.persistence import RunLost, Stopped, insist
from opendai_client.agent.protocol import AgentService, Claim, Receipt

Event = Mapping[str, object]

_FLUSH_EVENTS = 50
_FLUSH_SECONDS = 1.0
# A body may be 1 MiB and hold 500 events; half of it is left for what proxies and escapes may add.
_MOST_EVENTS = 500
_MOST_BYTES = 512 * 1024
_JOIN_SECONDS = 1.0


class Reporter:
    """Reports for one run: a thread of its own sends, and the thread that walks only hands over events.

    At most ``_MOST_EVENTS`` events and about ``_MOST_BYTES`` bytes wait; then ``add`` waits too. Accepted
    events are forgotten. An error that ends the run meanwhile is raised by the next call of any method:
    RunLost, Stopped or ClientError.
    """

    def __init__(self, service: AgentService, claim: Claim, interruption: Interruption) -> None:
        self._service = service
        self._claim = claim
        self._interruption = interruption
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._waiting: deque[str] = deque()
        self._waiting_bytes = 0
        self._waiting_since = 0.0
        self._accepted = 0
        self._is_urgent = False
        self._is_aborted = False
        self._failure: Exception | None = None
        self._lease_seconds = claim.lease_seconds
        self._last_contact = time.monotonic()
        self._thread = threading.Thread(target=self._work, name=f"reporter of {claim}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closing.set()
            self._changed.notify_all()
        # A call in progress may take until its time-out; the number of the attempt makes it harmless.
        self._thread.join(_JOIN_SECONDS)

    @property
    def accepted(self) -> int:
        """The number of the last event that the server has taken."""
        with self._changed:
            return self._accepted

    @property
    def is_aborted(self) -> bool:
        """Whether the server has asked to stop the run."""
        with self._changed:
            return self._is_aborted

    def check(self) -> None:
        """Raises what has ended the run, if anything has."""
        with self._changed:
            self._raise_failure()

    def add(self, event: Event) -> None:
        """Gives the event the next number and sends it soon; ValueError for a number that JSON has not."""
        text = json.dumps(event, allow_nan=False)
        with self._changed:
            while self._waiting and not self._has_room(len(text)):
                self._wait_for_sender()
            self._raise_failure()
            if not self._waiting:
                self._waiting_since = time.monotonic()
            self._waiting.append(text)
            self._waiting_bytes += len(text)
            # The sender is notified of the first event, which starts the clock, and of the one that fills a
            # batch.
            if len(self._waiting) in {1, _FLUSH_EVENTS}:
                self._changed.notify_all()

    def drain(self) -> int:
        """Wait until everything is accepted; return the last number."""
        with self._changed:
            self._is_urgent = True
            self._changed.notify_all()
            while self._waiting:
                self._wait_for_sender()
            self._raise_failure()
            self._is_urgent = False
            return self._accepted

    def _has_room(self, size: int) -> bool:
        return len(self._waiting) < _MOST_EVENTS and self._waiting_bytes + size <= _MOST_BYTES

    def _wait_for_sender(self) -> None:
        self._is_urgent = True
        self._changed.notify_all()
        self._raise_failure()
        # The wait ends from time to time, because nobody notifies when the agent is told to stop.
        self._changed.wait(0.1)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._interruption.is_stopping:
            raise Stopped

    def _work(self) -> None:
        try:
            while self._sleep_until_due():
                self._speak()
        except Exception as failure:  # noqa: BLE001 - it is raised again in the thread that walks
            with self._changed:
                self._failure = failure
                self._changed.notify_all()
            self._interruption.raise_sign()

    def _sleep_until_due(self) -> bool:
        """Whether there is still something to do: False when the run is left."""
        with self._changed:
            while not self._closing.is_set():
                rest = self._seconds_until_due()
                if rest <= 0:
                    return True
                self._changed.wait(rest)
            return False

    def _seconds_until_due(self) -> float:
        now = time.monotonic()
        until_heartbeat = self._last_contact + self._lease_seconds / 3 - now
        if not self._waiting:
            return until_heartbeat
        if self._is_urgent or len(self._waiting) >= _FLUSH_EVENTS:
            return 0.0
        return min(until_heartbeat, self._waiting_since + _FLUSH_SECONDS - now)

    def _speak(self) -> None:
        with self._changed:
            first, events = self._accepted + 1, self._next_batch()
        started_at = time.monotonic()
        receipt = insist(lambda: self._say(first, events), wait=self._closing.wait)
        with self._changed:
            self._last_contact = started_at
            self._lease_seconds = receipt.lease_seconds
            self._forget(receipt.last)
            self._changed.notify_all()
            newly_aborted = receipt.abort and not self._is_aborted
            self._is_aborted = self._is_aborted or receipt.abort
        if newly_aborted:
            self._interruption.raise_sign()

    def _next_batch(self) -> list[str]:
        """At least one event, if any waits, and no more than a body may hold."""
        size, count = 0, 0
        for text in islice(self._waiting, _MOST_EVENTS):
            size += len(text)
            if count and size > _MOST_BYTES:
                break
            count += 1
        return list(islice(self._waiting, count))

    def _say(self, first: int, events: list[str]) -> Receipt:
        if not events:
            return self._service.heartbeat(self._claim)
        receipt = self._service.report(self._claim, first=first, events=events)
        if receipt.last < first:
            raise RunLost(f"The server has accepted event {first} and holds {receipt.last} only.")
        return receipt

    def _forget(self, last: int) -> None:
        """Drops what the server holds; what it does not hold is sent again with the same numbers."""
        while self._waiting and self._accepted < last:
            self._waiting_bytes -= len(self._waiting.popleft())
            self._accepted += 1
        self._waiting_since = time.monotonic()
