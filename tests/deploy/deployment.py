"""docker-compose.yml as processes: its own settings and commands, with addresses of this machine in them."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]

_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 20
_LISTENS = re.compile(r"^opendai \S+ listens on (\S+)$", re.MULTILINE)


def services() -> dict[str, dict[str, Any]]:
    """The services of the compose file as Compose itself understands them, whatever is set around the tests."""
    compose = Path(sysconfig.get_path("scripts")) / "docker-compose"
    command = [str(compose), "-f", "docker-compose.yml", "config", "--format", "json"]
    read = subprocess.run(
        command, cwd=REPOSITORY, env=_bare_environment(), capture_output=True, text=True, check=True
    )
    return json.loads(read.stdout)["services"]


class Deployment:
    """One installation: the settings of the compose file with `places` put in for the addresses in it."""

    def __init__(self, folder: Path, places: Mapping[str, str]) -> None:
        self.folder = folder
        self._services = services()
        self._places = places

    def settings(self, service: str) -> dict[str, str]:
        given = self._services[service].get("environment", {})
        return {name: self._placed(value) for name, value in given.items()}

    def command(self, service: str) -> list[str]:
        return [self._placed(word) for word in self._services[service]["command"]]

    def run(self, service: str, *command: str) -> str:
        """The output of an `opendai` command that runs as this service; the command must succeed."""
        ended = subprocess.run(
            [sys.executable, "-m", "opendai.cli", *command],
            cwd=self.folder,
            env=_bare_environment() | self.settings(service),
            capture_output=True,
            text=True,
            timeout=_SECONDS_TO_START,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    @contextmanager
    def server(self, name: str, *options: str) -> Iterator["Process"]:
        """A server on a free port; whether it is up is for the caller to wait for."""
        own = {"OPENDAI_DATA_DIR": str(self.folder / name), "OPENDAI_PUBLIC_URL": ""}
        environment = self.settings("server") | own
        command = ["opendai.cli", "serve", "--port", "0", *options]
        with Process.running(command, environment, self.folder / name) as process:
            yield process

    @contextmanager
    def agent(self, url: str) -> Iterator["Process"]:
        """The agent, with credentials that it was given just as the compose file does it."""
        self._places = {**self._places, "http://server:8000": url}
        self.run("server", *self.command("agent-credentials"))
        command = ["opendai_client.agent", *self.command("agent")]
        with Process.running(command, self.settings("agent"), self.folder / "agent") as process:
            yield process

    def _placed(self, value: str) -> str:
        # In one pass: what is put in is not looked through again.
        addresses = "|".join(re.escape(address) for address in self._places)
        return re.sub(addresses, lambda found: self._places[found[0]], value)


class Process:
    """One Python module as a child process, which writes what it says into files."""

    def __init__(self, process: subprocess.Popen[bytes], said: Path) -> None:
        self._process = process
        self._said = said

    @classmethod
    @contextmanager
    def running(cls, command: Sequence[str], environment: dict[str, str], said: Path) -> Iterator["Process"]:
        with said.with_suffix(".out").open("wb") as out, said.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=said.parent,
                env=_bare_environment() | environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        try:
            yield cls(process, said)
        finally:
            process.terminate()
            try:
                process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return self._said.with_suffix(".err").read_text(encoding="utf-8", errors="replace")

    def address(self) -> str:
        """Where the server listens, once it says so."""
        give_up_at = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < give_up_at and self.is_running:
            found = _LISTENS.search(self._said.with_suffix(".out").read_text(encoding="utf-8"))
            if found:
                return found[1]
            time.sleep(0.05)
        raise AssertionError(f"The server did not start:\n{self.log}")


def _bare_environment() -> dict[str, str]:
    """The environment of the tests without the variables of opendai."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENDAI_")}
    # The same code as the tests see, also from another folder.
    return kept | {"PYTHONPATH": os.pathsep.join(str(Path(place).absolute()) for place in sys.path if place)}
