"""How a peer is served: with the options of `opendai serve`, on a free port."""

import socket
from typing import Any

import uvicorn


def serve(app: Any) -> None:
    """Serve until the process is ended, and print where."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"The peer listens on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http="httptools",
        ws="none",
    )
    uvicorn.Server(config).run([listener])
