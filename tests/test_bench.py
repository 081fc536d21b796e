"""The benchmarks run. Their results are not checked here, because a machine that runs tests is not quiet."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench.limits import Bounds
from bench.measures import MEASURES
from bench.results import Ratio, Size, is_within_limit, table
from bench.rounds import Rounds, Sample
from rich.console import Console

SHORT = ["--rounds", "1", "--seconds", "0.2"]
COMMANDS = {
    "bench": ["bench", *MEASURES, *SHORT],
    "bench on PostgreSQL": ["bench", "reading", "bare", *SHORT, "--database", "postgresql"],
    "bench.logins": ["bench.logins", "--seconds", "1", "--database", "sqlite"],
    "bench.paging": ["bench.paging", "--rounds", "1", "--runs", "20000", "--database", "sqlite"],
    "bench.tokens": ["bench.tokens", "--seconds", "0.2"],
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS.values(), ids=list(COMMANDS))
def test_a_benchmark_measures_and_prints_what_it_saw(command: list[str]) -> None:
    done = _run(*command)
    # 1 says that a figure is beyond its limit.
    assert done.returncode in {0, 1}, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) >= 2


@pytest.mark.slow
def test_without_mlflow_a_sentence_takes_the_place_of_the_full_runs(tmp_path: Path) -> None:
    done = _run("bench", "full-runs", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "Full runs were not measured: MLflow is not installed (make bench ARGS=--with-mlflow does it).\n"
    )


@pytest.mark.slow
def test_a_measure_that_is_not_there_is_refused() -> None:
    done = _run("bench", "writing")
    assert done.returncode == 2
    assert "there is no measure writing" in done.stderr


def test_every_benchmark_is_run_here() -> None:
    folder = Path(__file__).parents[1] / "bench"
    runnable = {path.stem for path in folder.glob("*.py") if "def main() -> int" in path.read_text("utf-8")}
    assert {f"bench.{name}".removesuffix(".__main__") for name in runnable} == {
        command[0] for command in COMMANDS.values()
    }


def test_a_ratio_is_that_of_the_medians_and_its_spread_that_of_the_pairs() -> None:
    ratio = Ratio("read", "peer", Bounds(target=2, limit=1), _rounds([300, 100, 200], [100, 50, 100]))
    assert ratio.figure == 2
    assert ratio.spread_text == "2.00 to 3.00"


def test_a_figure_is_judged_by_its_target_and_by_its_limit() -> None:
    slow = Ratio("slow", "peer", Bounds(target=2, limit=1), _rounds([90], [100]))
    fair = Ratio("fair", "peer", Bounds(target=2, limit=1), _rounds([150], [100]))
    large = Size("large", "", Bounds(target=130, limit=200, is_ceiling=True), 201)
    small = Size("small", "", Bounds(target=130, limit=200, is_ceiling=True), 130)
    assert [is_within_limit(result) for result in (slow, fair, large, small)] == [False, True, False, True]
    lines = _lines(slow, fair, large, small)
    assert [("not met" in line, "OVER" in line) for line in lines] == [
        (True, True),
        (True, False),
        (True, True),
        (False, False),
    ]


def _rounds(ours: list[float], peers: list[float]) -> Rounds:
    return Rounds([Sample(value) for value in ours], [Sample(value) for value in peers])


def _lines(*results: Ratio | Size) -> list[str]:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(table(results, "sqlite"))
    lines = console.export_text().splitlines()
    return [next(line for line in lines if result.name in line) for result in results]


def _run(module: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=Path(__file__).parents[1],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
