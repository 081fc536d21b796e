"""Requests that wait for work: one task looks at the queue for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

_PAUSE_SECONDS = 0.25


class WaitingLine:
    """The callers that wait for something to be queued for them, in the order in which they came.

    A look at the queue returns how much is queued: under the id of a caller for that caller alone, under None for any
    caller. Each look wakes as many callers as there is work for. Without callers nobody looks.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[Mapping[int | None, int]]],
        *,
        is_closing: Callable[[], bool],
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        self._look = look
        self._is_closing = is_closing
        self._pause_seconds = pause_seconds
        self._places: dict[asyncio.Future[bool], int] = {}
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, caller_id: int, *, seconds: float) -> bool:
        """Return True when something is queued for the caller; False after `seconds`, or if the server closes.

        Another caller may be quicker to take the work: then wait again.
        """
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._places[place] = caller_id
        if self._looking is None:
            self._looking = asyncio.create_task(self._keep_looking())
        try:
            async with asyncio.timeout(seconds):
                return await place
        except TimeoutError:
            return False
        finally:
            del self._places[place]

    async def _keep_looking(self) -> None:
        try:
            while self._places:
                await asyncio.sleep(self._pause_seconds)
                if self._is_closing():
                    self._end_all(lambda place: place.set_result(False))
                elif self._places:
                    self._wake(dict(await self._look()))
        except Exception as error:  # noqa: BLE001 - each caller raises it
            failure = error
            self._end_all(lambda place: place.set_exception(failure))
        finally:
            self._looking = None

    def _wake(self, queued: dict[int | None, int]) -> None:
        for place, caller_id in self._places.items():
            key = caller_id if queued.get(caller_id) else None
            if queued.get(key) and not place.done():
                queued[key] -= 1
                place.set_result(True)

    def _end_all(self, end: Callable[["asyncio.Future[bool]"], None]) -> None:
        for place in self._places:
            if not place.done():
                end(place)
