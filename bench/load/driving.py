"""The load of one process: every client takes one turn after the other, each on a connection of its own."""

import selectors
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.load.connection import TIMEOUT_SECONDS, Address, BadAnswer, Connection

Turn = Generator[bytes, bytes, None]
"""Yields the requests of one unit of work; each is sent the body of its answer."""


class Client(Protocol):
    def turn(self, number: int) -> Turn:
        """`number` counts the turns of this client from 0, over all rounds."""
        ...


@dataclass(frozen=True, slots=True)
class Driven:
    """The turns that each client completed, all clients together a second, and what the load itself cost."""

    turns: list[int]
    rate: float
    busy: float
    """The share of its time that this process used a processor: near 1, it would be what is measured."""


def drive(address: Address, clients: Sequence[tuple[Client, int]], seconds: float) -> Driven:
    """Keep all clients busy; each comes with the number of its next turn.

    A turn that is under way when the time is up is completed, so that everything that was sent is counted.
    """
    with selectors.DefaultSelector() as selector:
        driven = [_Driver(Connection(address), client, number) for client, number in clients]
        for driver in driven:
            selector.register(driver.connection.socket, selectors.EVENT_READ, driver)
        started, processor_before = time.perf_counter(), time.process_time()
        for driver in driven:
            driver.begin()
        waiting = len(driven)
        while waiting:
            ready = selector.select(TIMEOUT_SECONDS)
            if not ready:
                raise BadAnswer(f"No answer came within {TIMEOUT_SECONDS:.0f} s.")
            for key, _ in ready:
                driver = key.data
                if not driver.advance():
                    continue
                if time.perf_counter() - started < seconds:
                    driver.begin()
                else:
                    driver.ended = time.perf_counter()
                    waiting -= 1
        elapsed, processor = time.perf_counter() - started, time.process_time() - processor_before
    for driver in driven:
        driver.connection.close()
    return Driven(
        turns=[driver.turns for driver in driven],
        # Each by its own time: at the end some clients wait for those whose last turn takes longer.
        rate=sum(driver.turns / (driver.ended - started) for driver in driven),
        busy=processor / elapsed,
    )


class _Driver:
    """A client on its connection."""

    def __init__(self, connection: Connection, client: Client, number: int) -> None:
        self.connection = connection
        self.turns = 0
        self.ended = 0.0
        self._client = client
        self._number = number
        self._turn: Turn

    def begin(self) -> None:
        """Send the first request of the next turn."""
        self._turn = self._client.turn(self._number)
        self._number += 1
        self.connection.send(next(self._turn))

    def advance(self) -> bool:
        """Take what has arrived, and go on; return whether the turn is complete."""
        body = self.connection.receive()
        if body is None:
            return False
        try:
            self.connection.send(self._turn.send(body))
        except StopIteration:
            self.turns += 1
            return True
        return False
