"""The command imports little before it knows which subcommand runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import gc, sys
import opendai.cli
print(gc.isenabled())
sys.argv = ["opendai", "--version"]
try:
    opendai.cli.main()
finally:
    print(gc.isenabled(), gc.get_freeze_count() > 100_000)
    print(*{name.partition('.')[0] for name in sys.modules})
"""


@pytest.fixture(scope="module")
def said() -> list[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=Path("/"))
    return done.stdout.splitlines()


def test_a_command_starts_without_what_only_another_one_needs(said: list[str]) -> None:
    imported = set(said[-1].split())
    assert {"opendai", "sqlalchemy"} <= imported
    assert not imported & {"PIL", "boto3", "httpx"}


def test_garbage_is_collected_before_and_after_the_imports(said: list[str]) -> None:
    before, version, after, _ = said
    assert (before, after) == ("True", "True True")
    assert version.startswith("opendai ")
