"""`python -m bench`: measure opendai beside its peers, and print a table with targets. README.md explains.

Ends with 1 when a figure is beyond its limit, not when it misses its target.
"""

import argparse
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from tests.services import PostgresServer

from bench.measures import MEASURES
from bench.peers import mlflow
from bench.results import Note, Result, is_within_limit, table, warnings
from bench.rounds import Bench

_CORES = 2


def main() -> int:
    """The exit code: 0 when every figure is within its limit."""
    arguments = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 150)
    # The processes of the servers and of the load inherit it.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_CORES])
    with ExitStack() as stack:
        status = stack.enter_context(console.status("Preparing"))
        if arguments.with_mlflow:
            status.update("Installing MLflow")
            mlflow.install()
        bench = Bench(
            folder=Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opendai-bench-"))),
            postgres=stack.enter_context(PostgresServer()) if arguments.database == "postgresql" else None,
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            loading=stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn"))),
            say=status.update,
        )
        found = [each for name in arguments.measures for each in MEASURES[name](bench)]
    results: list[Result] = [each for each in found if not isinstance(each, Note)]
    if results:
        console.print(table(results, arguments.database))
    for note in [each for each in found if isinstance(each, Note)] + warnings(results):
        console.print(note.text)
    return 0 if all(is_within_limit(result) for result in results) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "measures",
        nargs="*",
        default=[name for name in MEASURES if name != "bare"],
        metavar="measure",
        help=f"{', '.join(MEASURES)}; by default all but bare",
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of measurements that count")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--with-mlflow", action="store_true", help="install MLflow unless it is installed")
    arguments = parser.parse_args()
    if unknown := sorted({*arguments.measures} - {*MEASURES}):
        parser.error(f"there is no measure {', '.join(unknown)}")
    if arguments.rounds < 1 or arguments.seconds <= 0:
        parser.error("there must be a round, and it must take some time")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
