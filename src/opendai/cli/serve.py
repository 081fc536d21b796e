"""`opendai serve` and `opendai migrate`."""

import socket
from typing import Annotated, Any

import typer
import uvicorn
from uvicorn.supervisors import Multiprocess

from opendai import __version__, logs
from opendai.cli.beside import DataDir, announce_admin, read_settings
from opendai.cli.connections import ImpatientProtocol
from opendai.cli.embedded import EmbeddedAgent
from opendai.installation import install, prepare_store
from opendai.settings import Settings

_GRACE_SECONDS = 5


class _Server(uvicorn.Server):
    """Announces the address when it listens, and then starts the embedded agent."""

    def __init__(self, config: uvicorn.Config, address: str, agent: EmbeddedAgent | None) -> None:
        super().__init__(config)
        self._address = address
        self._agent = agent

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            _announce(self._address)
            if self._agent:
                self._agent.start()


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = 8000,
    data_dir: DataDir = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many processes answer requests.")] = 1,
    embedded_agent: Annotated[
        bool, typer.Option("--embedded-agent", help="Run one simulated agent inside.")
    ] = False,
) -> None:
    """Serve. An empty or older database is migrated first."""
    # Imported here, because commands that only use the database start in half the time without the API.
    from opendai.app import create_app  # noqa: PLC0415

    configured = read_settings(data_dir)
    with _listen(host, port) as listener:
        address = _address(host, listener)
        settings = configured.reached_at(address)
        logs.configure(settings)
        installed = install(settings)
        prepare_store(settings)
        announce_admin(installed.admin)
        agent = EmbeddedAgent(settings, _local_url(listener)) if embedded_agent else None
        try:
            if workers == 1:
                config = uvicorn.Config(create_app(settings), **_OPTIONS)
                _Server(config, address, agent).run([listener])
            else:
                _serve_with_processes(settings, listener, address, workers, agent)
        finally:
            # No process accepts connections any more. While the socket is open, the last request of the agent
            # waits in its queue.
            listener.close()
            if agent:
                agent.stop()


def migrate(data_dir: DataDir = None) -> None:
    """Migrate the database to this release, and print the result."""
    settings = read_settings(data_dir)
    installed = install(settings)
    announce_admin(installed.admin)
    if installed.before == installed.after:
        typer.echo(f"The database is at revision {installed.after} already.")
    else:
        typer.echo(f"The database went from revision {installed.before or 'none'} to {installed.after}.")


_OPTIONS: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    "server_header": False,
    # Our own setting names the trusted proxies; uvicorn trusts every local process.
    "proxy_headers": False,
    "http": ImpatientProtocol,
    # The server has no WebSockets.
    "ws": "none",
    "timeout_graceful_shutdown": _GRACE_SECONDS,
}


def _serve_with_processes(
    settings: Settings, listener: socket.socket, address: str, workers: int, agent: EmbeddedAgent | None
) -> None:
    settings.export()
    config = uvicorn.Config("opendai.app:create_from_environment", factory=True, workers=workers, **_OPTIONS)
    _announce(address)
    if agent:
        agent.start()
    Multiprocess(config, sockets=[listener]).run()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
    listener.listen(2048)
    listener.set_inheritable(True)
    return listener


def _local_url(listener: socket.socket) -> str:
    """The server's address from this machine; the public one may lead through a proxy."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it is looked up, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _address(host: str, listener: socket.socket) -> str:
    """The address for a person at this machine."""
    name = {"0.0.0.0": "localhost", "::": "localhost", "127.0.0.1": "localhost"}.get(host, host)  # noqa: S104
    return f"http://{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}"


def _announce(address: str) -> None:
    typer.echo(f"opendai {__version__} listens on {address}")
