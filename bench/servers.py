"""Servers, each in a process of its own on a free port of loopback."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench.load.connection import Address
from opendai.settings import Settings

_START_SECONDS = 60
_STOP_SECONDS = 15

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: where it listens, and its process."""

    address: Address
    pid: int

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    def processor_seconds(self) -> float:
        """The time that the process and its children have used of the processors so far (Linux)."""
        return sum(_processor_seconds(pid) for pid in (self.pid, *_children(self.pid)))

    def memory_bytes(self) -> int:
        """The resident memory of the process (Linux)."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmRSS:")))


@contextlib.contextmanager
def serving(settings: Settings, folder: Path) -> Iterator[Server]:
    """`opendai serve` as people start it, with these settings and nothing of the developer's own."""
    chosen = {
        f"OPENDAI_{name.upper()}": str(value)
        for name, value in settings.model_dump(exclude_unset=True).items()
        if name != "admin_password"
    }
    command = [sys.executable, "-m", "opendai.cli", "serve", "--port", "0"]
    with running(command, folder / "opendai.log", variables=chosen) as server:
        yield server


@contextlib.contextmanager
def running(command: Sequence[str], log: Path, variables: Mapping[str, str] = {}) -> Iterator[Server]:
    """A server that prints a line with " listens on " and its address when it is ready."""
    with started(command, log, variables) as process:
        yield Server(_printed_address(process, log), process.pid)


@contextlib.contextmanager
def running_at(
    port: int, health: str, command: Sequence[str], log: Path, variables: Mapping[str, str]
) -> Iterator[Server]:
    """A server that was told its port and answers at the path `health` when it is ready."""
    with started(command, log, variables) as process:
        server = Server(("127.0.0.1", port), process.pid)
        give_up_at = time.monotonic() + _START_SECONDS
        while not _answers(server, health):
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise _not_started(log)
            time.sleep(0.1)
        yield server


@contextlib.contextmanager
def started(
    command: Sequence[str], log: Path, variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """A process with its children in a group of their own, which is ended with the block."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENDAI_")}
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command,
            env={**inherited, **variables},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()


def _printed_address(process: subprocess.Popen[str], log: Path) -> Address:
    assert process.stdout is not None, "it was opened as a pipe"
    # A server that neither answers nor ends is ended, so that reading its output cannot last for ever.
    alarm = threading.Timer(_START_SECONDS, process.kill)
    alarm.start()
    line = next((line for line in process.stdout if " listens on " in line), None)
    alarm.cancel()
    if line is None:
        raise _not_started(log)
    port = urlsplit(line.rsplit(" ", 1)[1].strip()).port
    assert port is not None, "it was started on a free port"
    return "127.0.0.1", port


def _answers(server: Server, path: str) -> bool:
    try:
        return httpx.get(server.url + path, timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _not_started(log: Path) -> RuntimeError:
    return RuntimeError(f"The server did not start:\n{log.read_text(encoding='utf-8')[-3000:]}")


def _processor_seconds(pid: int) -> float:
    # The second field is the program's name in brackets, which may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text(encoding="utf-8").split()]
    return children + [grandchild for child in children for grandchild in _children(child)]
