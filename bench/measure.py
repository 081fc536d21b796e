"""Rounds: the server, its peer, the server, its peer … under the same load, and the ratios of each pair."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from bench.servers import Server
from bench.traffic import Traffic, drive

CLIENT_PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Pace:
    """How one server did in one round: answers a second, and milliseconds of a processor for each."""

    rate: float
    processor: float


@dataclass(frozen=True, slots=True)
class Round:
    """Both servers, one after the other, which is all that may be compared."""

    ours: Pace
    peer: Pace

    @property
    def slowdown(self) -> float:
        """How many times as many answers the peer gave."""
        return self.peer.rate / self.ours.rate

    @property
    def work(self) -> float:
        """How many times as much of a processor we used for an answer."""
        return self.ours.processor / self.peer.processor


class Load:
    """The same traffic to one server, round after round; numbered requests go on where they ended.

    The first request of each has been made before.
    """

    def __init__(self, executor: Executor, server: Server, traffic: Sequence[Traffic]) -> None:
        self._executor = executor
        self._server = server
        self._lines = [(each, 1) for each in traffic]

    def run(self, seconds: float) -> Pace:
        """Keep all connections busy for this time."""
        shares = [self._lines[process::CLIENT_PROCESSES] for process in range(CLIENT_PROCESSES)]
        used_before = self._server.processor_seconds()
        pending = [self._executor.submit(drive, self._server.address, share, seconds) for share in shares]
        driven = [each.result() for each in pending]
        used = self._server.processor_seconds() - used_before
        self._lines = [
            (traffic, number + answers)
            for share, done in zip(shares, driven, strict=True)
            for (traffic, number), answers in zip(share, done.answers, strict=True)
        ]
        return Pace(
            rate=sum(sum(done.answers) / done.seconds for done in driven),
            processor=1000 * used / sum(sum(done.answers) for done in driven),
        )


def compare(
    ours: Load, peer: Load, *, rounds: int, seconds: float, advance: Callable[[], None]
) -> list[Round]:
    """So many rounds, after one that warms both up and is not counted. Calls `advance` after each."""
    compared = []
    for _ in range(rounds + 1):
        compared.append(Round(ours.run(seconds), peer.run(seconds)))
        advance()
    return compared[1:]
