"""The edges left to cover, by the parts of the graph that an exploratory walk can, or cannot, come back to."""

import math
from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from opendai.engine.model.elements import is_walkable
from opendai.engine.paths.components import find_components, find_reachable
from opendai.engine.paths.graph import Journey

# The worth of an edge that no run ever took; an edge that was taken n times is worth the n+1st part.
# Whole numbers, so that sums do not depend on the order of adding.
_WORTH = 1 << 20

# The gain that is left: first all but the step that ends the walk in Exit, then this step.
Gain: TypeAlias = tuple[int, int]


class Territory:
    """Which edges are worth going to next, kept up to date as the journey takes edges."""

    def __init__(self, journey: Journey, hits: Sequence[int]) -> None:
        self._journey = journey
        self._hits = hits
        self._fresh = {edge for edges in journey.graph.leaving for edge in edges}
        self._blocked: set[int] = set()
        self._arrivals = [0] * len(journey.graph.leaving)
        for edge, count in enumerate(hits):
            for target in journey.graph.targets_of(edge):
                self._arrivals[target] += count
        self._is_outdated = False
        self._has_postponed = False
        self._survey()

    def wanted(self) -> AbstractSet[int]:
        """The edges to go to, all equally good; none if nothing that is left can be covered."""
        if self._is_outdated:
            self._survey()
        edges = self._least_covered_here() or self._best_to_leave_by()
        # A use may have been kept for a goal that the walk has passed, or that is out of reach.
        for is_sharing in (True, False):
            if not edges and self._has_postponed:
                self._survey(is_sharing=is_sharing)
                edges = self._least_covered_here() or self._best_to_leave_by()
        return edges

    def note(self, edge: int) -> None:
        """The journey has taken the edge."""
        self._forget(edge)
        self._is_outdated = self._is_outdated or self._has_split(edge)

    def block(self, edges: AbstractSet[int]) -> None:
        """The edges cannot be reached from here, and so from no later place: it would be reached from here
        too.
        """
        self._blocked |= edges
        for edge in tuple(edges):
            self._forget(edge)
        self._is_outdated = self._is_outdated or self._has_postponed

    def _forget(self, edge: int) -> None:
        self._fresh.discard(edge)
        component = self._components[self._journey.graph.sources[edge]]
        self._inner[component][self._level(edge)].discard(edge)

    def _least_covered_here(self) -> AbstractSet[int]:
        levels = self._inner[self._components[self._journey.state]]
        return next((levels[level] for level in sorted(levels) if levels[level]), frozenset())

    def _best_to_leave_by(self) -> AbstractSet[int]:
        best: Gain = (0, 0)
        edges: set[int] = set()
        for edge in self._outward[self._components[self._journey.state]]:
            gain = self._gain_by(edge)
            if gain > best:
                best = gain
                edges = set()
            if gain == best != (0, 0):
                edges.add(edge)
        return edges

    def _has_split(self, edge: int) -> bool:
        """Whether taking the edge has used up what held its component together, or what was to be covered."""
        journey = self._journey
        graph = journey.graph
        action = graph.actions[edge]
        if action not in journey.exhausted:
            return False
        if graph.model.actions[action].owner is None or graph.remembers:
            return True
        source, target = graph.sources[edge], graph.targets[edge]
        is_inside = source != target and self._components[source] == self._components[target]
        return is_inside and target not in find_reachable(journey, source, goal=target)

    def _survey(self, *, is_sharing: bool = True) -> None:
        """Find the components, and what is to be gained in each and behind it."""
        journey = self._journey
        graph = journey.graph
        self._is_outdated = False
        self._components = find_components(journey)
        self._inner: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        self._outward: dict[int, list[int]] = defaultdict(list)
        self._enough = self._hits_worth_sharing() if is_sharing else {}
        self._has_postponed = False
        own: dict[int, int] = defaultdict(int)
        for state, component in enumerate(self._components):
            own[component] += self._worth_of_state(state)
            for edge in graph.leaving[state]:
                if graph.actions[edge] in journey.exhausted:
                    continue
                is_wanted = self._is_wanted_now(edge)
                if edge in self._fresh and not is_wanted:
                    self._has_postponed = True
                if any(self._components[target] != component for target in graph.targets_of(edge)):
                    self._outward[component].append(edge)
                elif is_wanted:
                    self._inner[component][self._level(edge)].add(edge)
                    own[component] += _worth(self._hits[edge])
        # An edge out of a component leads to one of a smaller number, so its gain is known by then.
        self._gains: dict[int, Gain] = {}
        for component in sorted(own):
            onward = max((self._gain_by(edge) for edge in self._outward[component]), default=(0, 0))
            self._gains[component] = (own[component] + onward[0], onward[1])

    def _is_wanted_now(self, edge: int) -> bool:
        if edge not in self._fresh:
            return False
        return self._hits[edge] <= self._enough.get(self._journey.graph.actions[edge], math.inf)

    def _hits_worth_sharing(self) -> dict[int, int]:
        """For each limited global action the hits above which one more use is wasted.

        All states share its limit, so what is left of it goes to the states where past runs took it least.
        """
        journey = self._journey
        graph = journey.graph
        shared: dict[int, list[int]] = defaultdict(list)
        for edge in self._fresh:
            action = graph.actions[edge]
            if graph.limits[action] and graph.model.actions[action].owner is None:
                shared[action].append(edge)
        if not shared:
            return {}
        within = find_reachable(journey, journey.state)
        enough = {}
        for action, edges in shared.items():
            hits = sorted(self._hits[edge] for edge in edges if graph.sources[edge] in within)
            remaining = journey.remaining(action) or 0
            if 0 < remaining < len(hits):
                enough[action] = hits[remaining - 1]
        return enough

    def _gain_by(self, edge: int) -> Gain:
        journey = self._journey
        graph = journey.graph
        if edge in self._blocked or graph.actions[edge] in journey.exhausted:
            return (0, 0)
        worth = _worth(self._hits[edge]) if self._is_wanted_now(edge) else 0
        best: Gain = (0, 0)
        for target in graph.targets_of(edge):
            if is_walkable(graph.model.states[target]):
                behind = self._gains.get(self._components[target], (0, 0))
                best = max(best, (worth + behind[0], behind[1]))
            else:
                best = max(best, (0, worth + self._worth_of_state(target)))
        return best

    def _worth_of_state(self, state: int) -> int:
        found = self._journey.graph.model.states[state]
        is_covered = found.id in self._journey.coverage.state_ids
        return 0 if is_covered else _worth(self._arrivals[state])

    def _level(self, edge: int) -> int:
        """How often past runs took the edge, by powers of two: to go by every hit would mean long ways."""
        return self._hits[edge].bit_length()


def _worth(hits: int) -> int:
    return max(1, _WORTH // (1 + hits))
