"""The load: requests over kept-alive raw sockets, sent one after the other on each connection."""

import json
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

_TIMEOUT_SECONDS = 30.0
_MOST_BYTES = 1 << 16


class Traffic(Protocol):
    """What one connection asks, again and again. `number` counts its requests from 0, over all rounds."""

    def request(self, number: int) -> bytes:
        """The bytes of this request, header and body."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """The same GET each time."""

    path: str
    token: str

    def request(self, number: int) -> bytes:  # noqa: ARG002 - every one is alike
        return _head("GET", self.path, self.token)


@dataclass(frozen=True, slots=True)
class Reporting:
    """The walk of one agent: a batch of steps each time, numbered on from the last."""

    path: str
    token: str
    attempt: int
    steps_in_batch: int = 50

    def request(self, number: int) -> bytes:
        first = number * self.steps_in_batch + 1
        events = [_step(order) for order in range(first, first + self.steps_in_batch)]
        body = json.dumps({"attempt": self.attempt, "first": first, "events": events}).encode()
        header = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return _head("POST", self.path, self.token, header) + body


@dataclass(frozen=True, slots=True)
class Driven:
    """What came of driving some connections: the answers on each, and how long it took in seconds."""

    answers: list[int]
    seconds: float


class BadAnswer(Exception):  # noqa: N818 - it says what was received
    """A server refused a request or hung up: its speed would mean nothing."""


def drive(address: tuple[str, int], lines: Sequence[tuple[Traffic, int]], seconds: float) -> Driven:
    """Keep one connection for each line busy; `lines` are the traffics with the numbers of their next requests.

    What is under way when the time is up is waited for, so that every request that was sent is counted.
    """
    with selectors.DefaultSelector() as selector:
        connections = [_Connection(address, traffic, number) for traffic, number in lines]
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        started = time.perf_counter()
        for connection in connections:
            connection.send()
        waiting = len(connections)
        while waiting:
            ready = selector.select(_TIMEOUT_SECONDS)
            if not ready:
                raise BadAnswer(f"No answer came within {_TIMEOUT_SECONDS:.0f} s.")
            is_over = time.perf_counter() - started >= seconds
            for key, _ in ready:
                if not key.data.receive():
                    continue
                if is_over:
                    waiting -= 1
                else:
                    key.data.send()
        elapsed = time.perf_counter() - started
    for connection in connections:
        connection.socket.close()
    return Driven([connection.answers for connection in connections], elapsed)


def first_answer(address: tuple[str, int], traffic: Traffic) -> Any:
    """What a server says to the first request, as JSON."""
    connection = _Connection(address, traffic, 0)
    connection.send()
    while not connection.receive():
        pass
    connection.socket.close()
    return json.loads(connection.body)


class _Connection:
    """One kept-alive connection and what has arrived of the answer that it waits for."""

    def __init__(self, address: tuple[str, int], traffic: Traffic, number: int) -> None:
        self.socket = socket.create_connection(address, timeout=_TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answers = 0
        self.body = b""
        self._traffic = traffic
        self._number = number
        self._received = b""

    def send(self) -> None:
        self.socket.sendall(self._traffic.request(self._number))
        self._number += 1

    def receive(self) -> bool:
        """Take what has arrived; return whether the answer is complete now."""
        chunk = self.socket.recv(_MOST_BYTES)
        if not chunk:
            raise BadAnswer("The server hung up.")
        self._received += chunk
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return False
        if not head.startswith(b"HTTP/1.1 200 "):
            raise BadAnswer(self._received[:500].decode(errors="replace"))
        self._received, self.body = b"", body
        self.answers += 1
        return True


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise BadAnswer("An answer without a length.")


def _head(method: str, path: str, token: str, header: str = "") -> bytes:
    lines = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n{header}\r\n"
    return lines.encode()


def _step(order: int) -> dict[str, object]:
    return {
        "type": "step",
        "order": order,
        "state": "HomePage",
        "action": "e_FindOwners",
        "target": "FindOwners",
        "phase": "walk",
        "passed": True,
        "seconds": 1.24,
        "started_at": "2026-11-22T09:30:00.120000+00:00",
    }
