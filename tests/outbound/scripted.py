"""A server on loopback that says exactly what a test wants, also what no server should."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Scripted:
    """Where the server listens, and what it was asked so far: one text for each connection."""

    host: str
    port: int
    requests: list[bytes] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/"


# Runs for a connection once its request is read; when it returns, the connection is closed.
Script = Callable[[socket.socket, Scripted], None]


def says(*parts: bytes, pause_seconds: float = 0.0) -> Script:
    """These bytes, with a pause before each part."""

    def script(connection: socket.socket, server: Scripted) -> None:
        for part in parts:
            server.closing.wait(pause_seconds)
            connection.sendall(part)

    return script


def says_forever(start: bytes, part: bytes, *, pause_seconds: float = 0.0) -> Script:
    """A start, and then the same bytes until the other hangs up."""

    def script(connection: socket.socket, server: Scripted) -> None:
        connection.sendall(start)
        while not server.closing.is_set():
            server.closing.wait(pause_seconds)
            connection.sendall(part)

    return script


def says_nothing(_connection: socket.socket, server: Scripted) -> None:
    server.closing.wait()


@contextmanager
def scripted(
    script: Script,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    certificate: Path | None = None,
    listens: bool = True,
) -> Iterator[Scripted]:
    """A server that treats each connection by the script, in a thread of its own.

    One that does not listen begins the script at once and reads nothing.
    """
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    threads: list[threading.Thread] = []
    with socket.create_server((host, port)) as listener:
        server = Scripted(host, int(listener.getsockname()[1]))

        def serve(connection: socket.socket) -> None:
            # Many of these tests are about clients that hang up early.
            with suppress(OSError), connection:
                connection.settimeout(10)
                secured = context.wrap_socket(connection, server_side=True) if context else connection
                with secured:
                    if listens:
                        server.requests.append(_request(secured))
                    script(secured, server)

        def accept() -> None:
            while not server.closing.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                thread = threading.Thread(target=serve, args=(connection,))
                threads.append(thread)
                thread.start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server
        finally:
            server.closing.set()
            # Closing alone does not wake the thread that waits for a connection.
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(10)
            for thread in threads:
                thread.join(10)


def _request(connection: socket.socket) -> bytes:
    """A request with its body, whose length its headers say."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return received
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            break
        body += part
    return head + b"\r\n\r\n" + body
