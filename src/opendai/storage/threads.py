"""Threads for the calls of the object store alone: a store that hangs takes no thread from anything else."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from opendai.errors import Unavailable

_Result = TypeVar("_Result")
_SLOW = "The object store does not answer in time. Try again in a moment."
_WAITING_FOR_EACH = 4


class StoreThreads:
    """Runs calls of the store, each of which is given up after `deadline_seconds`.

    A call that is given up goes on in its thread until the store's own timeouts end it. As long as all threads hang,
    a few more calls wait for each of them, and the rest is refused at once.
    """

    def __init__(self, *, threads: int, deadline_seconds: float) -> None:
        self._executor = ThreadPoolExecutor(threads, "opendai-store")
        self._deadline_seconds = deadline_seconds
        self._most = threads * (1 + _WAITING_FOR_EACH)
        self._begun = 0

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """The result of a call; Unavailable if it takes too long."""
        if self._begun >= self._most:
            raise Unavailable(_SLOW)
        self._begun += 1
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        future.add_done_callback(self._note_end)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._deadline_seconds)
        except TimeoutError as error:
            raise Unavailable(_SLOW) from error

    def _note_end(self, future: "asyncio.Future[_Result]") -> None:
        self._begun -= 1
        # The error of an abandoned call is read, so that asyncio does not report it as unread.
        if not future.cancelled():
            future.exception()

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
