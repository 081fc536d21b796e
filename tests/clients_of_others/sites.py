"""Sites on loopback, each of an origin of its own: plain pages, and applications that run."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from tests.faults.processes import wait_until
from tests.loopback import LoopbackServer

_KINDS = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


@dataclass
class Site:
    """Pages and scripts by their paths."""

    origin: str
    files: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def serving_pages() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            body = site.files.get(path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", _KINDS.get(path[path.rfind(".") :], "text/plain"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_given: Any) -> None:
            """No log: a test sees failures in the browser."""

    with LoopbackServer(("127.0.0.1", 0), Handler) as server:
        site = Site(f"http://localhost:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join(10)


@contextlib.contextmanager
def serving_application(application: ASGIApp, listener: socket.socket) -> Iterator[None]:
    configuration = uvicorn.Config(application, lifespan="off", ws="none", log_config=None)
    server = uvicorn.Server(configuration)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started, "the application listens")
        yield
    finally:
        server.should_exit = True
        thread.join(10)
