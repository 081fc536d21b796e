"""Rounds: ours, the peer, ours, the peer …, and the samples of each."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.services import PostgresServer

from bench.load.driving import Client, drive
from bench.servers import Server


@dataclass(frozen=True, slots=True)
class Sample:
    """The figure of one side in one round: turns a second or, for a start, seconds."""

    value: float
    processor_ms: float | None = None
    """Processor time of the server for each turn."""
    load_busy: float = 0.0
    """The share of a processor that the load itself took."""


class Side(Protocol):
    def run(self, seconds: float) -> Sample:
        """One turn of this side, about this long."""
        ...


class ServerSide:
    """The same clients to one server, round after round; numbered turns go on where they ended."""

    def __init__(self, loading: Executor, server: Server, clients: Sequence[Client]) -> None:
        self._loading = loading
        self._server = server
        self._clients = [(client, 0) for client in clients]

    def run(self, seconds: float) -> Sample:
        used_before = self._server.processor_seconds()
        driven = self._loading.submit(drive, self._server.address, self._clients, seconds).result()
        used = self._server.processor_seconds() - used_before
        self._clients = [
            (client, number + turns)
            for (client, number), turns in zip(self._clients, driven.turns, strict=True)
        ]
        return Sample(driven.rate, 1000 * used / sum(driven.turns), driven.busy)


@dataclass(frozen=True, slots=True)
class Rounds:
    """The samples of both sides, pair by pair."""

    ours: list[Sample]
    peers: list[Sample]


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmarks: what every measure is given."""

    folder: Path
    postgres: PostgresServer | None
    """None: the databases are SQLite files."""
    rounds: int
    seconds: float
    loading: Executor
    """The process that the load runs in."""
    say: Callable[[str], None]
    """Shows what is being done."""

    @property
    def database(self) -> str:
        return "postgresql" if self.postgres else "sqlite"

    def new_folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    def new_database(self, name: str) -> str:
        """The URL of an empty database."""
        return self.postgres.create_database(name) if self.postgres else f"sqlite:///{self.folder / name}.db"

    def server_side(self, server: Server, clients: Sequence[Client]) -> ServerSide:
        return ServerSide(self.loading, server, clients)

    def alternate(self, name: str, ours: Side, peer: Side) -> Rounds:
        """The rounds, after one that warms both up and is not counted."""
        samples = []
        for number in range(self.rounds + 1):
            self.say(f"{name}, round {number} of {self.rounds}")
            samples.append((ours.run(self.seconds), peer.run(self.seconds)))
        ours_all, peers_all = zip(*samples[1:], strict=True)
        return Rounds(list(ours_all), list(peers_all))
