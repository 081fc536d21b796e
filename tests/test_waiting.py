"""The line of those who wait for work: who is woken, by how many looks, and how it ends."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest

from opendai.errors import Unavailable
from opendai.waiting import WaitingLine

LONG = 5.0


class Queue:
    """A queue that is looked at, and counts the looks."""

    def __init__(self) -> None:
        self.queued: dict[int | None, int] = {}
        self.looks = 0
        self.is_closing = False
        self.failure: Exception | None = None

    async def look(self) -> Mapping[int | None, int]:
        self.looks += 1
        if self.failure is not None:
            raise self.failure
        queued, self.queued = self.queued, {}
        return queued

    def line(self) -> WaitingLine:
        return WaitingLine(self.look, is_closing=lambda: self.is_closing, pause_seconds=0.01)


def begin(*waits: Coroutine[Any, Any, bool]) -> list[asyncio.Task[bool]]:
    return [asyncio.create_task(wait) for wait in waits]


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 10))


def test_as_many_are_woken_as_there_are_runs_and_the_first_come_first() -> None:
    async def test() -> None:
        queue = Queue()
        line = queue.line()
        waits = begin(*(line.wait(number, seconds=0.3) for number in range(5)))
        await asyncio.sleep(0)
        queue.queued = {None: 2}
        assert await asyncio.gather(*waits) == [True, True, False, False, False]

    run(test())


def test_what_is_meant_for_one_wakes_that_one_alone() -> None:
    async def test() -> None:
        queue = Queue()
        line = queue.line()
        waits = begin(*(line.wait(number, seconds=0.3) for number in (7, 8, 9)))
        await asyncio.sleep(0)
        queue.queued = {8: 4, 5: 1}
        assert await asyncio.gather(*waits) == [False, True, False]

    run(test())


def test_one_that_is_meant_leaves_what_is_for_anyone_to_the_others() -> None:
    async def test() -> None:
        queue = Queue()
        line = queue.line()
        waits = begin(*(line.wait(number, seconds=0.3) for number in (7, 8, 9)))
        await asyncio.sleep(0)
        queue.queued = {7: 1, None: 1}
        assert await asyncio.gather(*waits) == [True, True, False]

    run(test())


def test_two_hundred_who_wait_cost_as_many_looks_as_one() -> None:
    async def test() -> None:
        queue = Queue()
        line = queue.line()
        await asyncio.gather(*begin(*(line.wait(number, seconds=0.2) for number in range(200))))
        assert queue.looks <= 20

    run(test())


def test_nobody_looks_where_nobody_waits() -> None:
    async def test() -> None:
        queue = Queue()
        line = queue.line()
        for _ in range(2):
            assert await line.wait(1, seconds=0.03) is False
            await asyncio.sleep(0.03)
            looks = queue.looks
            await asyncio.sleep(0.05)
            assert queue.looks == looks

    run(test())


def test_a_server_that_closes_lets_everyone_go() -> None:
    async def test() -> None:
        queue = Queue()
        line = queue.line()
        waits = begin(line.wait(1, seconds=LONG), line.wait(2, seconds=LONG))
        await asyncio.sleep(0)
        queue.is_closing = True
        assert await asyncio.gather(*waits) == [False, False]

    run(test())


def test_a_look_that_fails_fails_for_everyone_and_the_next_one_looks_again() -> None:
    async def test() -> None:
        queue = Queue()
        line = queue.line()
        queue.failure = Unavailable("The database does not answer.")
        waits = begin(line.wait(1, seconds=LONG), line.wait(2, seconds=LONG))
        for wait in waits:
            with pytest.raises(Unavailable):
                await wait
        queue.failure = None
        again = begin(line.wait(3, seconds=LONG))
        await asyncio.sleep(0)
        queue.queued = {None: 1}
        assert await asyncio.gather(*again) == [True]

    run(test())


def test_one_that_goes_away_takes_no_turn() -> None:
    async def test() -> None:
        queue = Queue()
        line = queue.line()
        gone, stays = begin(line.wait(1, seconds=LONG), line.wait(2, seconds=LONG))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        queue.queued = {None: 1}
        assert await stays is True

    run(test())
