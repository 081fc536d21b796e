"""Runs the command in this process, or as one of its own where that is the point."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from opendai import cli
from tests.faults.processes import Server, process_environment

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Said:
    """The result of a command: its exit code, standard output and standard error."""

    code: int
    output: str
    errors: str


Command = Callable[..., Said]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def command(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """`opendai …` in this process on a data folder of the test's own. No failure shows a traceback."""
    for name in [name for name in os.environ if name.startswith("OPENDAI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENDAI_DATA_DIR", str(data_dir))
    monkeypatch.setenv("OPENDAI_ADMIN_PASSWORD", PASSWORD)

    def run(*arguments: str, stdin: str = "", **settings: str) -> Said:
        entered = tmp_path / "stdin"
        entered.write_text(stdin, encoding="utf-8")
        with monkeypatch.context() as patch, entered.open(encoding="utf-8") as lines:
            for name, value in settings.items():
                patch.setenv(f"OPENDAI_{name.upper()}", value)
            patch.setattr(sys, "argv", ["opendai", *arguments])
            patch.setattr(sys, "stdin", lines)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        code = ended.value.code
        assert isinstance(code, int)
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture
def process(data_dir: Path) -> Command:
    """`opendai …` as a process of its own."""

    def run(*arguments: str, stdin: str = "", **settings: str) -> Said:
        ended = subprocess.run(
            [sys.executable, "-m", "opendai.cli", *arguments],
            env=process_environment(**{"data_dir": data_dir, "admin_password": PASSWORD, **settings}),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in ended.stderr
        return Said(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a free port, for commands that work beside it."""
    with Server(tmp_path_factory.mktemp("running") / "data") as server:
        yield server


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers on the test's own data folder."""
    with ExitStack() as stack:
        yield lambda *arguments, **settings: stack.enter_context(
            Server(tmp_path / "served", *arguments, **settings)
        )
