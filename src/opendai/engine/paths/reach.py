"""The shortest way through a graph that reaches several targets in their order, within the call limits.

The search goes breadth first over places (a state, and the state before it where that matters) and the
number of targets reached. The search leaves out the uses of actions at first. If the way that is found would use an
action more often than is left, or out of its sequence, the search is repeated with the uses of just these
actions as a part of each place, until a way is found that can be walked. Leaving something out can only add
ways, so "there is none" is always true, and the first way that can be walked is a shortest one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from opendai.engine.paths.graph import NOWHERE, PREVIOUS, Graph, Journey

# Each unit is an edge that was looked at or two places that were compared; about a second's worth, and 150
# MB.
BUDGET = 1_000_000

Uses: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A goal of a way: to be in a state, or to take one of some edges.

    `is_narrow` tells that the way can be in one place only when the target is reached.
    """

    state: int = NOWHERE
    edges: AbstractSet[int] = frozenset()
    is_narrow: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """The edges to take, or None; then `reached` targets can be reached at best, or the search was given
    up.
    """

    edges: tuple[int, ...] | None
    reached: int = 0
    was_given_up: bool = False


def find_way(journey: Journey, targets: Sequence[Target], *, budget: int = BUDGET) -> Way:
    """The fewest steps from the journey's place; among equals the one that the graph's order prefers."""
    search = _Search(journey, targets, budget)
    while True:
        way = search.run()
        if way.edges is None or not search.track_what_breaks(way.edges):
            return way


@dataclass(slots=True)
class _Label:
    state: int
    previous: int
    reached: int
    uses: Uses
    parent: "_Label | None" = None
    edge: int = NOWHERE

    def way(self) -> tuple[int, ...]:
        edges = []
        label = self
        while label.parent is not None:
            edges.append(label.edge)
            label = label.parent
        return tuple(reversed(edges))


class _Search:
    def __init__(self, journey: Journey, targets: Sequence[Target], budget: int) -> None:
        self.journey = journey
        self.graph: Graph = journey.graph
        self.targets = targets
        self.budget = budget
        # The actions whose uses, and the sequences whose progress, are a part of each place, by their
        # position in `_Label.uses`. Progress counts downwards, so that of two places the one with less is
        # the better.
        self.limited: dict[int, int] = {}
        self.sequences: dict[int, int] = {}

    def run(self) -> Way:
        start = self._start()
        if start.reached == len(self.targets):
            return Way(())
        best = floor = start.reached
        labels = [start]
        seen: dict[tuple[int, int], list[tuple[int, Uses]]] = defaultdict(list)
        seen[start.state, start.previous].append((start.reached, start.uses))
        # The list grows while it is gone through: it is the queue.
        for label in labels:
            # A label behind the floor would have to pass a place that a shorter way has left already.
            for onward in self._onward(label) if label.reached >= floor else ():
                if onward.reached == len(self.targets):
                    return Way(onward.way())
                if self._is_beaten(onward, seen[onward.state, onward.previous]):
                    continue
                labels.append(onward)
                if onward.reached > best:
                    best = onward.reached
                    floor = best if self._is_bottleneck(best) else floor
            if self.budget < 0:
                return Way(None, best, was_given_up=True)
        return Way(None, best)

    def track_what_breaks(self, edges: tuple[int, ...]) -> bool:
        """Whether the way cannot be walked; what forbids it is tracked from now on."""
        graph = self.graph
        uses = Counter(graph.actions[edge] for edge in edges)
        broken = {
            action
            for action, count in uses.items()
            if graph.limits[action] and count > (self.journey.remaining(action) or 0)
        }
        progress = dict(self.journey.progress)
        disordered: set[int] = set()
        for edge in edges:
            action = graph.actions[edge]
            group = graph.groups[action]
            if group != NOWHERE:
                if graph.ranks[action] > progress.get(group, 0):
                    disordered.add(group)
                progress[group] = max(progress.get(group, 0), graph.ranks[action] + 1)
        for action in sorted(broken):
            self.limited[action] = len(self.limited) + len(self.sequences)
        for group in sorted(disordered):
            self.sequences[group] = len(self.limited) + len(self.sequences)
        return bool(broken or disordered)

    def _start(self) -> _Label:
        journey = self.journey
        uses = [0] * (len(self.limited) + len(self.sequences))
        for group, position in self.sequences.items():
            uses[position] = -journey.progress.get(group, 0)
        previous = journey.previous if self.graph.remembers else NOWHERE
        return _Label(journey.state, previous, self._advance(0, journey.state), tuple(uses))

    def _is_bottleneck(self, reached: int) -> bool:
        """Whether all ways that reach this number of targets are then in one place, and equally well off."""
        is_tracking = self.limited or self.sequences or self.graph.remembers
        return not is_tracking and self.targets[reached - 1].is_narrow

    def _onward(self, label: _Label) -> Iterator[_Label]:
        for edge in self.graph.leaving[label.state]:
            self.budget -= 1
            onward = self._follow(label, edge)
            if onward is not None:
                yield onward

    def _advance(self, reached: int, state: int) -> int:
        while reached < len(self.targets) and self.targets[reached].state == state:
            reached += 1
        return reached

    def _follow(self, label: _Label, edge: int) -> _Label | None:
        """The place that the edge leads to, None if it cannot be taken."""
        graph = self.graph
        action = graph.actions[edge]
        if action in self.journey.exhausted:
            return None
        target = graph.targets[edge] if graph.targets[edge] != PREVIOUS else label.previous
        if target == NOWHERE:
            return None
        uses = self._use(label.uses, action) if label.uses else label.uses
        if uses is None:
            return None
        reached = label.reached + (edge in self.targets[label.reached].edges)
        reached = self._advance(reached, target)
        previous = label.state if graph.remembers and target != label.state else label.previous
        return _Label(target, previous, reached, uses, label, edge)

    def _use(self, uses: Uses, action: int) -> Uses | None:
        position = self.limited.get(action)
        if position is not None:
            if uses[position] == self.journey.remaining(action):
                return None
            uses = (*uses[:position], uses[position] + 1, *uses[position + 1 :])
        position = self.sequences.get(self.graph.groups[action])
        if position is not None:
            rank = self.graph.ranks[action]
            if rank > -uses[position]:
                return None
            uses = (*uses[:position], min(uses[position], -rank - 1), *uses[position + 1 :])
        return uses

    def _is_beaten(self, label: _Label, others: list[tuple[int, Uses]]) -> bool:
        """Whether the same place was reached, no later, with as many targets and no more used up."""
        self.budget -= len(others)
        for reached, uses in others:
            if reached >= label.reached and all(map(int.__le__, uses, label.uses)):
                return True
        others.append((label.reached, label.uses))
        return False
