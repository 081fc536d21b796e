"""The measures, by the names that the command takes; each yields its results."""

from collections.abc import Callable, Iterator

from bench.measures import bare, full_runs, memory, reading, reporting, screenshots, starting
from bench.results import Note, Result
from bench.rounds import Bench

MEASURES: dict[str, Callable[[Bench], Iterator[Result | Note]]] = {
    "reading": reading.measure,
    "reporting": reporting.measure,
    "full-runs": full_runs.measure,
    "screenshots": screenshots.measure,
    "starting": starting.measure,
    "memory": memory.measure,
    "bare": bare.measure,
}
