"""The benchmarks run. Their results are not checked here, because a machine that runs tests is not quiet."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SHORT = {
    "bench": ["--rounds", "1", "--seconds", "0.2", "--database", "sqlite"],
    "bench.logins": ["--seconds", "1", "--database", "sqlite"],
    "bench.paging": ["--rounds", "1", "--runs", "20000", "--database", "sqlite"],
    "bench.tokens": ["--seconds", "0.2"],
}


@pytest.mark.parametrize("name", SHORT)
def test_a_benchmark_measures_and_says_what_it_saw(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", name, *SHORT[name]],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    # 1 says that a limit was missed.
    assert done.returncode in {0, 1}, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) >= 2


def test_every_benchmark_is_run_here() -> None:
    folder = Path(__file__).parents[1] / "bench"
    runnable = {path.stem for path in folder.glob("*.py") if "def main() -> int" in path.read_text("utf-8")}
    assert {f"bench.{name}".removesuffix(".__main__") for name in runnable} == set(SHORT)
