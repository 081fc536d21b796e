"""Servers that live for all fault tests, servers of a test's own, and the figures that the tests report."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.processes import Server

_FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a sentence with the figures of a test at the end of the session."""
    figures = request.config.stash.setdefault(_FIGURES, [])
    return lambda sentence: figures.append(f"{request.node.name}: {sentence}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(_FIGURES, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def fault_database(request: pytest.FixtureRequest) -> Callable[[], dict[str, Any]]:
    """Makes the settings of one more empty database; SQLite is in the data folder by itself."""
    if request.param == "sqlite":
        return dict
    server = request.getfixturevalue("postgres_server")
    return lambda: {"database_url": server.create_database(f"faults_{secrets.token_hex(4)}")}


@pytest.fixture(scope="session")
def server(
    fault_database: Callable[[], dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server for the tests that leave it as it is."""
    with Server(tmp_path_factory.mktemp("shared") / "data", **fault_database()) as started:
        yield started


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers that a test may kill."""
    with ExitStack() as stack:
        yield lambda *arguments, **settings: stack.enter_context(
            Server(tmp_path / f"data-{secrets.token_hex(4)}", *arguments, **settings)
        )


@pytest.fixture(scope="session")
def petclinic(samples: dict[str, str]) -> str:
    return samples["petclinic"]
