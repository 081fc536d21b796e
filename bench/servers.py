"""The two servers under measurement, each in a process of its own on a free port of loopback."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from opendai.settings import Settings

_START_SECONDS = 30
_STOP_SECONDS = 15

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs: where it listens, and its process."""

    address: Address
    pid: int

    def processor_seconds(self) -> float:
        """What the process has used of the processors so far, all threads together (Linux)."""
        # The second field is the program's name in brackets, which may hold spaces.
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


@contextlib.contextmanager
def serving(settings: Settings, folder: Path) -> Iterator[Server]:
    """`opendai serve` as people start it, with these settings and nothing of the developer's own."""
    chosen = {
        f"OPENDAI_{name.upper()}": str(value)
        for name, value in settings.model_dump(exclude_unset=True).items()
        if name != "admin_password"
    }
    command = ["-m", "opendai.cli", "serve", "--port", "0"]
    with _running(command, chosen, folder / "opendai.log") as server:
        yield server


@contextlib.contextmanager
def serving_peer(database_url: str, lease_seconds: int, folder: Path) -> Iterator[Server]:
    """The bare application on a database of its own."""
    with _running(["-m", "bench.peer", database_url, str(lease_seconds)], {}, folder / "peer.log") as server:
        yield server


@contextlib.contextmanager
def _running(arguments: Sequence[str], chosen: dict[str, str], log: Path) -> Iterator[Server]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENDAI_")}
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=inherited | chosen,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield Server(_address(process, log), process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[str], log: Path) -> Address:
    assert process.stdout is not None, "it was opened as a pipe"
    # A server that neither answers nor ends is ended, so that reading its output cannot last for ever.
    alarm = threading.Timer(_START_SECONDS, process.kill)
    alarm.start()
    line = process.stdout.readline()
    alarm.cancel()
    if " listens on " not in line:
        raise RuntimeError(f"The server did not start:\n{log.read_text(encoding='utf-8')[-3000:]}")
    port = urlsplit(line.rsplit(" ", 1)[1].strip()).port
    assert port is not None, "it was started on a free port"
    return "127.0.0.1", port
