"""The benchmarks and the limits that we promise."""

import statistics
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from bench.measure import Load, Round, compare
from bench.scene import Scene
from bench.servers import Address, Server
from bench.traffic import Traffic, first_answer


@dataclass(frozen=True, slots=True)
class Limits:
    """How many times as slow as the peer we may be, and how many times as much of a processor we may use."""

    slowdown: float
    work: float


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What is asked, and the limits on each database."""

    name: str
    traffic: Callable[[Scene, Address], list[Traffic]]
    limits: dict[str, Limits]


@dataclass(frozen=True, slots=True)
class Result:
    """The rounds of one benchmark beside its limits."""

    name: str
    limits: Limits
    rounds: list[Round]

    @property
    def slowdown(self) -> float:
        # The median of the rounds' own ratios: a machine that others use changes its pace between rounds.
        return statistics.median(each.slowdown for each in self.rounds)

    @property
    def work(self) -> float:
        return statistics.median(each.work for each in self.rounds)

    @property
    def is_within_limits(self) -> bool:
        return self.slowdown <= self.limits.slowdown and self.work <= self.limits.work


# Some head-room above what README.md says we saw; a change that is meant to be faster lowers them.
BENCHMARKS = [
    Benchmark(
        "read an agent",
        Scene.reading,
        {"sqlite": Limits(slowdown=35.0, work=35.0), "postgresql": Limits(slowdown=30.0, work=30.0)},
    ),
    Benchmark(
        "report 50 steps",
        Scene.reporting,
        {"sqlite": Limits(slowdown=12.0, work=20.0), "postgresql": Limits(slowdown=9.0, work=12.0)},
    ),
]


def run(
    benchmark: Benchmark,
    database: str,
    scene: Scene,
    executor: Executor,
    *,
    ours: Server,
    peer: Server,
    rounds: int,
    seconds: float,
    advance: Callable[[], None],
) -> Result:
    """Measure one benchmark; `seconds` is the length of one server's turn."""
    # The peer checks no token, yet it is sent one: both must read the same bytes.
    traffic = benchmark.traffic(scene, ours.address)
    _check_that_both_say_the_same(ours, peer, traffic)
    compared = compare(
        Load(executor, ours, traffic),
        Load(executor, peer, traffic),
        rounds=rounds,
        seconds=seconds,
        advance=advance,
    )
    return Result(benchmark.name, benchmark.limits[database], compared)


def _check_that_both_say_the_same(ours: Server, peer: Server, traffic: list[Traffic]) -> None:
    for each in traffic:
        answers = [first_answer(server.address, each) for server in (ours, peer)]
        if answers[0] != answers[1]:
            raise RuntimeError(f"opendai and its peer do not say the same: {answers}")
