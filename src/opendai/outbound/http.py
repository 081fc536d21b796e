"""HTTP to other hosts: one request to a checked address, and one answer within limits."""

import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import httpcore

from opendai.errors import Forbidden, Unavailable
from opendai.outbound.addresses import Allowed, connect
from opendai.outbound.targets import Target

Stage = Literal["address", "connection", "deadline", "size", "encoding", "protocol"]

LARGEST_ANSWER = 2 << 20
_CHUNK = 1 << 16
# These control the exchange itself, which a caller must not choose.
_OURS = frozenset(
    {
        "host",
        "connection",
        "accept-encoding",
        "content-length",
        "transfer-encoding",
        "te",
        "upgrade",
        "expect",
    }
)


class CallFailed(Unavailable):
    """A call without an answer: its stage, and the reason in a sentence that reveals nothing internal."""

    def __init__(self, stage: Stage, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer. Names of headers are in lower case; the values of headers with one name are joined."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outbound:
    """Calls addresses that are public or allowed, without a proxy, and keeps nothing between two calls.

    A redirect or an error is an answer like any other. Only identity encoding is accepted.
    """

    def __init__(self, *, allowed: Allowed) -> None:
        self.allowed = allowed

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        content: bytes = b"",
        deadline_seconds: float,
        max_bytes: int = LARGEST_ANSWER,
    ) -> Answer:
        """The answer to one request, or CallFailed.

        The deadline covers everything, from looking up the name to the last byte. The limit counts every byte
        of the answer, headers included.
        """
        deadline = _Deadline(deadline_seconds)
        try:
            target = Target.parse(url)
        except ValueError as error:
            raise CallFailed("address", f"The URL {error}.") from error
        with (
            _named_failures(target),
            closing(self._connect(target, deadline)) as plain,
            closing(self._secure(plain, target, deadline)) as connection,
        ):
            wire = _Wire(connection, deadline, limit=max_bytes)
            request = _request(method, target, headers, content)
            exchange = httpcore.HTTP11Connection(request.url.origin, wire)
            return _answer(exchange.handle_request(request), deadline)

    def _connect(self, target: Target, deadline: "_Deadline") -> socket.socket:
        try:
            return connect(target.host, target.port, allowed=self.allowed, seconds=deadline.left())
        except Forbidden as error:
            raise CallFailed("address", error.message) from error
        except Unavailable as error:
            deadline.left()
            raise CallFailed("connection", error.message) from error

    def _secure(self, plain: socket.socket, target: Target, deadline: "_Deadline") -> socket.socket:
        plain.settimeout(deadline.left())
        if target.scheme == "http":
            return plain
        # The certificate must be that of the named host, whatever the address.
        return self._certificates.wrap_socket(plain, server_hostname=target.host)

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left; TimeoutError if none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Wire(httpcore.NetworkStream):
    """The connection in the form that the HTTP library expects. Every wait ends at one deadline."""

    def __init__(self, connection: socket.socket, deadline: _Deadline, *, limit: int) -> None:
        self._connection = connection
        self._deadline = deadline
        self._limit = limit
        self._received = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the library's own
        self._connection.settimeout(self._deadline.left())
        received = self._connection.recv(min(max_bytes, self._limit - self._received + 1))
        self._received += len(received)
        if self._received > self._limit:
            raise CallFailed("size", f"The answer is larger than {self._limit} bytes.")
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the library's own
        rest = memoryview(buffer)
        while rest:
            self._connection.settimeout(self._deadline.left())
            try:
                rest = rest[self._connection.send(rest[:_CHUNK]) :]
            except TimeoutError:
                raise
            except OSError as error:
                # A host that refuses the rest of a request may have answered already.
                raise httpcore.WriteError from error

    def close(self) -> None:
        self._connection.close()


def _request(
    method: str, target: Target, headers: Iterable[tuple[str, str]], content: bytes
) -> httpcore.Request:
    ours = [("Host", target.authority), ("Connection", "close"), ("Accept-Encoding", "identity")]
    if content or method not in {"GET", "HEAD"}:
        ours.append(("Content-Length", str(len(content))))
    url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    theirs = [(name, value) for name, value in headers if name.lower() not in _OURS]
    encoded = [(name.encode("ascii"), value.encode("ascii")) for name, value in [*ours, *theirs]]
    return httpcore.Request(method, url, headers=encoded, content=content)


def _answer(response: httpcore.Response, deadline: _Deadline) -> Answer:
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise CallFailed("encoding", "The answer is compressed, although that was not asked for.")
    body = bytearray()
    for part in response.iter_stream():
        # A body in parts of one byte takes time even if all of it has arrived.
        deadline.left()
        body += part
    return Answer(response.status, headers, bytes(body))


@contextmanager
def _named_failures(target: Target) -> Iterator[None]:
    """Turn each failure into a stage and a sentence; the words of the other host are not repeated."""
    try:
        yield
    except TimeoutError as error:
        raise CallFailed("deadline", f"{target.address} did not answer in time.") from error
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or "the handshake failed"
        raise CallFailed("connection", f"TLS with {target.address} was not made: {reason}.") from error
    except OSError as error:
        raise CallFailed("connection", f"The connection to {target.address} broke off.") from error
    except (httpcore.LocalProtocolError, UnicodeEncodeError) as error:
        raise CallFailed("protocol", "The request holds what HTTP cannot carry.") from error
    except httpcore.ProtocolError as error:
        raise CallFailed("protocol", f"{target.address} does not answer as HTTP asks.") from error
