"""One kept-alive connection: a request out, its answer in."""

import socket

import httptools

TIMEOUT_SECONDS = 30.0
_CHUNK_BYTES = 1 << 16

Address = tuple[str, int]


class BadAnswer(Exception):  # noqa: N818 - it holds what was received
    """A server refused a request or closed the connection: its speed would mean nothing."""


class Connection:
    """A raw socket, so that the client is not what is measured."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, timeout=TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._is_complete = False

    def send(self, request: bytes) -> None:
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """Read once from the socket; the body of the answer if it is complete now."""
        chunk = self.socket.recv(_CHUNK_BYTES)
        if not chunk:
            raise BadAnswer("The server closed the connection.")
        self._parser.feed_data(chunk)
        if not self._is_complete:
            return None
        body = b"".join(self._body)
        status = self._parser.get_status_code()
        if not 200 <= status < 300 or status == 204:
            raise BadAnswer(f"{status} {body[:500].decode(errors='replace')}")
        self._parser = httptools.HttpResponseParser(self)
        self._body, self._is_complete = [], False
        return body

    def ask(self, request: bytes) -> bytes:
        """The body of the answer, waited for."""
        self.send(request)
        while (body := self.receive()) is None:
            pass
        return body

    def close(self) -> None:
        self.socket.close()

    def on_body(self, body: bytes) -> None:
        """The parser calls it."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The parser calls it."""
        self._is_complete = True


def request(
    method: str, path: str, *, token: str = "", body: bytes = b"", content_type: str = "application/json"
) -> bytes:
    """The bytes of a request, head and body."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    if body:
        head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body
