"""`python -m bench`: run all benchmarks, print a table, end with 1 when a median is over its limit."""

import argparse
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.benchmarks import BENCHMARKS, Result, run
from bench.measure import CLIENT_PROCESSES
from bench.scene import on_postgresql, on_sqlite
from bench.servers import serving, serving_peer

_SCENES = {"sqlite": on_sqlite, "postgresql": on_postgresql}


def main() -> int:
    """The exit code: 0 when every median is within its limit."""
    arguments = _arguments()
    console = Console()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opendai-bench-")))
        progress = stack.enter_context(Progress(console=console, transient=True))
        task = progress.add_task("Preparing", total=len(BENCHMARKS) * (arguments.rounds + 1))
        scene = stack.enter_context(_SCENES[arguments.database](folder))
        ours = stack.enter_context(serving(scene.settings, folder))
        peer = stack.enter_context(serving_peer(scene.peer_database, scene.settings.lease_seconds, folder))
        executor = stack.enter_context(ProcessPoolExecutor(CLIENT_PROCESSES, mp_context=get_context("spawn")))
        results = []
        for benchmark in BENCHMARKS:
            progress.update(task, description=benchmark.name)
            results.append(
                run(
                    benchmark,
                    arguments.database,
                    scene,
                    executor,
                    ours=ours,
                    peer=peer,
                    rounds=arguments.rounds,
                    seconds=arguments.seconds,
                    advance=lambda: progress.advance(task),
                )
            )
    console.print(_table(results, arguments.database))
    return 0 if all(result.is_within_limits for result in results) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--database", choices=_SCENES, default="sqlite")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of measurements that count")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.seconds <= 0:
        parser.error("there must be a round, and it must take some time")
    return arguments


def _table(results: list[Result], database: str) -> Table:
    table = Table(
        title=f"opendai beside bare Starlette, {database}",
        caption="Medians of the rounds, and in brackets the least and the most. Less is better.",
        show_lines=True,
    )
    for heading in ("", "answers a second", "times as slow", "limit", "times the processor", "limit", ""):
        table.add_column(heading)
    for result in results:
        ours = statistics.median(each.ours.rate for each in result.rounds)
        peer = statistics.median(each.peer.rate for each in result.rounds)
        table.add_row(
            result.name,
            f"{ours:,.0f} to {peer:,.0f}",
            _spread([each.slowdown for each in result.rounds]),
            f"{result.limits.slowdown:.1f}",
            _spread([each.work for each in result.rounds]),
            f"{result.limits.work:.1f}",
            "within" if result.is_within_limits else "OVER",
        )
    return table


def _spread(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"


if __name__ == "__main__":
    sys.exit(main())
