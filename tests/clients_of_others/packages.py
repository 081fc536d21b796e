"""Packages of npm, fetched for a test run and taken only if they are the ones that were looked at."""

import base64
import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.services import WITHOUT_SERVICES

_PROGRAMS = Path(sys.executable).parent
NODE = str(_PROGRAMS / "node")


def fetch_package(name: str, version: str, sha512: str, folder: Path) -> Path:
    """The folder with the package's files, where a script in the given folder finds it by its name."""
    if os.environ.get(WITHOUT_SERVICES) == "1":
        # The variable allows a package to be missing; without it, a package that cannot be fetched is a failure.
        pytest.skip(f"{WITHOUT_SERVICES}=1")
    (folder / "node_modules").mkdir(exist_ok=True)
    command = [
        str(_PROGRAMS / "npm"),
        "pack",
        f"{name}@{version}",
        "--silent",
        "--pack-destination",
        str(folder),
    ]
    fetched = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert fetched.returncode == 0, fetched.stderr
    archive = folder / fetched.stdout.split()[-1]
    assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == sha512
    package = folder / "node_modules" / name
    with tarfile.open(archive) as opened:
        opened.extractall(folder / "unpacked", filter="data")
    # Each archive has all its files in a folder of this name.
    (folder / "unpacked" / "package").rename(package)
    return package
