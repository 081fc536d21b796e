"""Real server and agent processes on folders and databases of their own, each ended by its process id."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx

from opendai.auth.audit import Actor, Audit
from opendai.database import Database
from opendai.resources.api_clients.repository import ApiClientRepository, Credentials
from opendai.resources.api_clients.schemas import ApiClientIn
from opendai.settings import Settings
from opendai_client.client import Client

ADMIN_PASSWORD = "correct horse battery staple"
_SECONDS_TO_START = 30
_SECONDS_TO_STOP = 10


def wait_until(holds: Callable[[], Any], what: str, *, seconds: float = 20.0) -> Any:
    """The first true answer; fails with `what` if there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.03)


def process_environment(**settings: object) -> dict[str, str]:
    """The developer's environment without settings of opendai, and with these instead."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENDAI_")}
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return kept | {f"OPENDAI_{name.upper()}": str(value) for name, value in settings.items()}


class Process:
    """One command with its output in files; the group is ended with the block, so no worker outlives it."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as errors, log.with_suffix(".out").open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def output(self) -> str:
        return self.log.with_suffix(".out").read_text(encoding="utf-8")

    @property
    def errors(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """SIGKILL for the process and what it started; quiet if they have ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def stop(self) -> float:
        """SIGTERM; the seconds until it had ended."""
        started = time.monotonic()
        self.popen.terminate()
        self.popen.wait(_SECONDS_TO_STOP)
        return time.monotonic() - started


class Server:
    """`opendai serve` on a folder; it can be killed and started again on the same port."""

    def __init__(self, folder: Path, *arguments: str, port: int = 0, **settings: Any) -> None:
        self.folder = folder
        self.options: dict[str, Any] = {
            "data_dir": folder,
            "admin_password": ADMIN_PASSWORD,
            "lease_seconds": 2,
            "reaper_seconds": 0.1,
            "log_format": "json",
            **settings,
        }
        self.settings = Settings(**self.options)
        self.database = Database(self.settings.database, threads=2)
        self._arguments = arguments
        self._port = port
        # Several servers may share a folder, and each start has a log of its own.
        self._logs = folder.parent / f"{folder.name}-{secrets.token_hex(4)}"
        self._starts = 0
        self.process: Process

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.database.close()

    def start(self, *, is_awaited: bool = True) -> None:
        self._starts += 1
        self.process = Process(
            ["opendai.cli", "serve", "--port", str(self._port), *self._arguments],
            process_environment(**self.options),
            self._logs.with_suffix(f".{self._starts}.log"),
        )
        if is_awaited:
            self.await_ready()

    def await_ready(self) -> None:
        """Returns once /readyz says so; fails with the log if the process ends before."""
        wait_until(self._is_announced, "the server listens", seconds=_SECONDS_TO_START)
        if not self._port:
            self._port = int(self.process.output.strip().rsplit(":", 1)[1])
        self.url = f"http://localhost:{self._port}"
        wait_until(self.is_ready, "the server is ready", seconds=_SECONDS_TO_START)

    def is_ready(self) -> bool:
        assert self.process.popen.poll() is None, self.process.errors
        try:
            return httpx.get(f"{self.url}/readyz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def credentials(self, name: str, role: str) -> Credentials:
        with self.database.writing() as session:
            audit = Audit(session, Actor.of_command())
            return ApiClientRepository(session).add(ApiClientIn(name=name, role=role), audit)[1]

    def client(self, name: str, role: str = "admin") -> Client:
        """An API client of that name, made for this call."""
        made = self.credentials(name, role)
        return Client(self.url, made.client_id, made.client_secret)

    def agent(self, credentials: Credentials, *arguments: str) -> Process:
        """A real agent process."""
        environment = process_environment(
            agent_url=self.url,
            agent_client_id=credentials.client_id,
            agent_client_secret=credentials.client_secret,
        )
        return Process(
            ["opendai_client.agent", *arguments],
            environment,
            self.folder.parent / f"{self.folder.name}-{credentials.client_id}.log",
        )

    def _is_announced(self) -> bool:
        assert self.process.popen.poll() is None, self.process.errors
        return " listens on " in self.process.output
