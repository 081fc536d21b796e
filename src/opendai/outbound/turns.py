"""A limit on calls that take long. A call over the limit is refused and does not wait."""

from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync

from opendai.errors import TooMany

_Result = TypeVar("_Result")


class Turns:
    """Runs work in threads of its own, so that the threads of the requests stay free."""

    def __init__(self, *, at_once: int, refusal: str, retry_after: int) -> None:
        self._at_once = at_once
        self._refusal = refusal
        self._retry_after = retry_after
        self._running = 0
        self._threads = anyio.CapacityLimiter(at_once)

    async def take(self, work: Callable[[], _Result]) -> _Result:
        """The result of `work`; TooMany if as many are at work as the limit allows."""
        if self._running >= self._at_once:
            raise TooMany(self._refusal, retry_after=self._retry_after)
        self._running += 1
        try:
            return await run_sync(work, limiter=self._threads)
        finally:
            self._running -= 1
