"""The results of the measures, and the table of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from bench.limits import Bounds
from bench.rounds import Rounds, Sample

# Above it the load competes with the server for the processors.
_BUSY = 0.7


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of ours divided by the median of the peer."""

    name: str
    peer: str
    bounds: Bounds
    rounds: Rounds
    unit: str = "/s"

    @property
    def figure(self) -> float:
        return _median(self.rounds.ours) / _median(self.rounds.peers)

    @property
    def figure_text(self) -> str:
        return f"{self.figure:.2f} x"

    @property
    def spread_text(self) -> str:
        """The least and the greatest ratio of a pair."""
        pairs = zip(self.rounds.ours, self.rounds.peers, strict=True)
        ratios = [ours.value / peer.value for ours, peer in pairs]
        return f"{min(ratios):.2f} to {max(ratios):.2f}"

    @property
    def values_text(self) -> str:
        """Both medians."""
        ours, peer = _median(self.rounds.ours), _median(self.rounds.peers)
        digits = 0 if min(ours, peer) >= 20 else 2
        return f"{ours:,.{digits}f} and {peer:,.{digits}f} {self.unit}"

    @property
    def processor_text(self) -> str:
        """Milliseconds of the processor for each turn, where both sides are servers."""
        ours, peer = (
            [sample.processor_ms for sample in side] for side in (self.rounds.ours, self.rounds.peers)
        )
        return " and ".join(_processor(side) for side in (ours, peer) if None not in side)

    @property
    def load_busy(self) -> float:
        return max(sample.load_busy for sample in (*self.rounds.ours, *self.rounds.peers))


@dataclass(frozen=True, slots=True)
class Size:
    """Megabytes of memory."""

    name: str
    peer: str
    bounds: Bounds
    figure: float
    processor_text: str = ""
    spread_text: str = ""
    values_text: str = ""
    load_busy: float = 0.0

    @property
    def figure_text(self) -> str:
        return f"{self.figure:.0f} MB"


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence below the table."""

    text: str


Result = Ratio | Size


def table(results: Sequence[Result], database: str) -> Table:
    """One line for each result."""
    shown = Table(
        title=f"opendai beside its peers: {database}, two cores, one server process each",
        caption="Medians of alternating rounds; spread: the least and the greatest ratio of a pair of rounds.",
        show_lines=True,
    )
    for heading in (
        "",
        "beside",
        "target",
        "measured",
        "spread",
        "",
        "ours and peer",
        "ms of processor",
        "limit",
    ):
        shown.add_column(heading)
    for result in results:
        shown.add_row(
            result.name,
            result.peer,
            _bound(result.bounds, result.bounds.target),
            result.figure_text,
            result.spread_text,
            _verdict(result),
            result.values_text,
            result.processor_text,
            _bound(result.bounds, result.bounds.limit) + ("" if is_within_limit(result) else " OVER"),
        )
    return shown


def is_within_limit(result: Result) -> bool:
    return result.bounds.is_kept_by(result.figure)


def warnings(results: Sequence[Result]) -> list[Note]:
    """Which results say more about the load than about the servers."""
    return [
        Note(
            f"{result.name}: the load took {result.load_busy:.0%} of a processor and may be what was measured."
        )
        for result in results
        if result.load_busy > _BUSY
    ]


def _verdict(result: Result) -> str:
    if result.bounds.target is None:
        return ""
    return "met" if result.bounds.is_met_by(result.figure) else "not met"


def _bound(bounds: Bounds, value: float | None) -> str:
    return "" if value is None else f"{'≤' if bounds.is_ceiling else '≥'} {value:g}"


def _median(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.value for sample in samples)


def _processor(times: Sequence[float | None]) -> str:
    return f"{statistics.median(time for time in times if time is not None):.2f}"
