"""The memory of a server that nobody asks anything."""

import time
from collections.abc import Iterator

from bench.limits import MEMORY_MEGABYTES
from bench.results import Size
from bench.rounds import Bench
from bench.servers import serving
from opendai.settings import Settings

_IDLE_SECONDS = 5


def measure(bench: Bench) -> Iterator[Size]:
    folder = bench.new_folder("memory")
    bench.say("memory")
    with serving(Settings(data_dir=folder / "data"), folder) as server:
        time.sleep(_IDLE_SECONDS)
        megabytes = server.memory_bytes() / 1_000_000
    yield Size("resident memory, idle", f"{_IDLE_SECONDS} s after the start", MEMORY_MEGABYTES, megabytes)
