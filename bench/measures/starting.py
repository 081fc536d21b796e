"""The start of a server on an empty folder, beside the import of what it is built of."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.limits import START
from bench.load.connection import request
from bench.results import Ratio
from bench.rounds import Bench, Sample
from bench.servers import serving
from bench.site import ask
from opendai.settings import Settings

_IMPORT = "import fastapi, sqlalchemy, alembic, uvicorn"


class _Starting:
    """`opendai serve` until /readyz answers, each time on another empty folder."""

    def __init__(self, folder: Path) -> None:
        self._folders = (folder / str(number) for number in count())

    def run(self, seconds: float) -> Sample:  # noqa: ARG002 - a start takes its own time
        folder = next(self._folders)
        folder.mkdir()
        started = time.perf_counter()
        with serving(Settings(data_dir=folder / "data"), folder) as server:
            ask(server, request("GET", "/readyz"))
            return Sample(time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class _Importing:
    def run(self, seconds: float) -> Sample:  # noqa: ARG002
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", _IMPORT], check=True)
        return Sample(time.perf_counter() - started)


def measure(bench: Bench) -> Iterator[Ratio]:
    rounds = bench.alternate("start", _Starting(bench.new_folder("starting")), _Importing())
    yield Ratio("serve until ready", f'python -c "{_IMPORT}"', START, rounds, unit="s")
