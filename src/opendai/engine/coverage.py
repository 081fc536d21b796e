"""How much of a model runs have covered, by the definition of the DAI documentation.

Coverage is items covered by items possible. At path depth 1 the items are the states and the transitions (an
action in a state); at a path depth d of 2 to 5 they are the sequences of d transitions that follow one
another in the graph. Possible is what the graph allows from the Start state on. Actions that only an Exception
or Cleanup state offers do not count, because a clean run never takes them. Call limits do not count either: they
bound one run, and many runs are covered together.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TypeAlias

from opendai.engine.model.elements import Model, Transition, is_walkable
from opendai.errors import Invalid

Pair: TypeAlias = tuple[str, str]
# A state by its name, or a path as the pairs of state and action that it goes through.
CoverageItem: TypeAlias = str | tuple[Pair, ...]

DEEPEST_PATH = 5
MOST_ITEMS = 1_000_000


@dataclass(frozen=True, slots=True)
class Coverage:
    covered: int
    possible: int

    @property
    def fraction(self) -> float:
        """From 0 to 1; 0 where nothing is possible."""
        return self.covered / self.possible if self.possible else 0.0


class RunCoverage:
    """The coverage of one run at path depth 1, kept up to date as its transitions come in."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._transitions = {transition.pair: transition for transition in model.transitions}
        self._countable = {state.id for state in model.reachable}
        self.pairs: set[Pair] = set()
        self.state_ids: set[int] = set()

    def add(self, pair: Pair) -> None:
        """Count a transition and the states at its ends; a pair that the model does not know changes nothing.

        An action that failed has still been tried, and counts.
        """
        transition = self._transitions.get(pair)
        if transition is None or pair in self.pairs:
            return
        self.pairs.add(pair)
        self.state_ids.add(transition.state.id)
        target = self._model.target_of(*transition)
        # Where a Previous action leads was left before, so it has been counted.
        if target is not None and target.id in self._countable:
            self.state_ids.add(target.id)

    @property
    def result(self) -> Coverage:
        return Coverage(len(self.pairs) + len(self.state_ids), len(self._transitions) + len(self._countable))


def run_coverage(model: Model, taken: Iterable[Pair]) -> float:
    """The coverage, from 0 to 1, of a run that took these transitions, given as names of state and action."""
    coverage = RunCoverage(model)
    for pair in taken:
        coverage.add(pair)
    return coverage.result.fraction


def measure_coverage(
    model: Model, runs: Iterable[Iterable[Pair]], *, path_depth: int = 1, variable_depth: int = 1
) -> Coverage:
    """The coverage of several runs together; each run is its transitions in the order in which it took them."""
    covered: set[CoverageItem] = set()
    for taken in runs:
        covered |= covered_items(model, taken, path_depth=path_depth, variable_depth=variable_depth)
    return Coverage(len(covered), possible_count(model, path_depth=path_depth))


def possible_count(model: Model, *, path_depth: int = 1, variable_depth: int = 1) -> int:
    """How many items there are, counted without listing them: at depth 5 there may be millions of
    millions.
    """
    _check_depths(path_depth, variable_depth)
    if path_depth == 1:
        return len(model.reachable) + len(model.transitions)
    offers = _offers(model)

    @cache
    def paths(place: _Place, length: int) -> int:
        if length == 1:
            return len(offers[place.state])
        return sum(
            paths(onward, length - 1)
            for transition in offers[place.state]
            for onward in _onward(model, place, transition)
            if onward.state in offers
        )

    return sum(paths(_Place(state, None), path_depth) for state in offers)


def coverage_items(model: Model, *, path_depth: int = 1, variable_depth: int = 1) -> frozenset[CoverageItem]:
    """All items of path depth 1 or 2. `Invalid` for deeper paths, or over a million: count those instead."""
    _check_depths(path_depth, variable_depth)
    if path_depth > 2 or possible_count(model, path_depth=path_depth) > MOST_ITEMS:
        raise Invalid("There are too many coverage items of this path depth to list them.")
    single: set[CoverageItem] = {(transition.pair,) for transition in model.transitions}
    if path_depth == 1:
        return frozenset(single | {state.name for state in model.reachable})
    offers = _offers(model)
    return frozenset(
        (first.pair, second.pair)
        for first in model.transitions
        for onward in _onward(model, _Place(first.state.id, None), first)
        for second in offers.get(onward.state, ())
    )


def covered_items(
    model: Model, taken: Iterable[Pair], *, path_depth: int = 1, variable_depth: int = 1
) -> frozenset[CoverageItem]:
    """The items in one run's transitions, which come in the order in which it took them.

    A pair that the model does not know, or one that cannot follow the pair before it, interrupts the path.
    """
    _check_depths(path_depth, variable_depth)
    if path_depth == 1:
        coverage = RunCoverage(model)
        for pair in taken:
            coverage.add(pair)
        names = {state.name for state in model.reachable if state.id in coverage.state_ids}
        return frozenset({(pair,) for pair in coverage.pairs} | names)
    return _covered_paths(model, taken, path_depth)


class _Place(NamedTuple):
    """Where a path is: a state's id, and the id of the state before it where that matters and is known."""

    state: int
    previous: int | None


def _covered_paths(model: Model, taken: Iterable[Pair], path_depth: int) -> frozenset[CoverageItem]:
    transitions = {transition.pair: transition for transition in model.transitions}
    items: set[CoverageItem] = set()
    path: deque[Pair] = deque(maxlen=path_depth)
    onward: Mapping[int, _Place] = {}
    for pair in taken:
        transition = transitions.get(pair)
        place = onward.get(transition.state.id) if transition else None
        if transition is None or place is None:
            path.clear()
        if transition is None:
            onward = {}
            continue
        path.append(pair)
        if len(path) == path_depth:
            items.add(tuple(path))
        place = place if place and len(path) > 1 else _Place(transition.state.id, None)
        onward = {reached.state: reached for reached in _onward(model, place, transition)}
    return frozenset(items)


def _offers(model: Model) -> dict[int, list[Transition]]:
    offers: dict[int, list[Transition]] = {state.id: [] for state in model.reachable if is_walkable(state)}
    for transition in model.transitions:
        offers[transition.state.id].append(transition)
    return offers


def _onward(model: Model, place: _Place, transition: Transition) -> list[_Place]:
    target = model.target_of(*transition)
    if target is None:
        origins = model.came_from[place.state] if place.previous is None else (place.previous,)
        return [_Place(origin, place.state) for origin in origins]
    if target.id == place.state:
        return [place]
    # Without Previous actions nothing depends on where a path came from, and remembering it would cost time.
    return [_Place(target.id, place.state if model.came_from else None)]


def _check_depths(path_depth: int, variable_depth: int) -> None:
    if not 1 <= path_depth <= DEEPEST_PATH:
        raise Invalid(f"A path depth is 1 to {DEEPEST_PATH}, not {path_depth}.")
    # How parameters stand in a document is not published, so there are no values that depth 2 could cross.
    if variable_depth not in {1, 2}:
        raise Invalid(f"A variable depth is 1 or 2, not {variable_depth}.")
