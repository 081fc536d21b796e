"""How exploratory walks choose their next step: to the nearest of what runs have covered least.

The walk stays in the part of the graph that it can come back to (a strongly connected component) until
everything there is covered, and only then takes a step that cannot be undone: the one behind which most is
left to cover, and into Exit when nothing else is left. Without call limits this covers as much as one run
can.
"""

import math
from collections import deque
from collections.abc import Mapping
from random import Random

from opendai.engine.coverage import Pair
from opendai.engine.feasibility import feasibility
from opendai.engine.model.elements import Model, is_walkable
from opendai.engine.paths.plan import Ending, Plan, step_limit_reached, stuck, target_reached
from opendai.engine.paths.reach import Target, find_way
from opendai.engine.paths.strategy import begin_journey
from opendai.engine.paths.territory import Territory


class ExploratoryStrategy:
    """Covers what past runs took least. Actions of weight 0 are left to directed walks."""

    def __init__(self, model: Model, plan: Plan, *, hits: Mapping[Pair, int], chance: Random) -> None:
        self._plan = plan
        self._model = model
        self._target = 1.0 if plan.target_coverage is None else plan.target_coverage
        self.journey = begin_journey(model, _shuffled(model, chance))
        past = [max(0, hits.get(transition.pair, 0)) for transition in model.transitions]
        self._territory = Territory(self.journey, past)
        self._way: deque[int] = deque()

    def choose(self) -> int | Ending:
        journey = self.journey
        if journey.coverage.result.fraction >= self._target:
            return self._end(target_reached(self._target))
        state = self._model.states[journey.state]
        if not is_walkable(state):
            return self._end(f'nothing else was left in reach, and the state "{state.name}" was entered')
        if journey.steps >= self._plan.step_limit:
            return self._end(step_limit_reached(self._plan))
        if not self._way:
            self._way.extend(self._find_way())
        if self._way:
            return self._way.popleft()
        if not journey.steps:
            return stuck(state.name, journey.steps)
        return self._end("nothing new was left in reach")

    def note(self, edge: int) -> None:
        self._territory.note(edge)

    def _end(self, reason: str) -> Ending:
        return Ending("PASSED", reason, feasibility(self._model).unreachable)

    def _find_way(self) -> tuple[int, ...]:
        while wanted := self._territory.wanted():
            way = find_way(self.journey, [Target(edges=wanted)])
            if way.edges is not None:
                return way.edges
            self._territory.block(wanted)
        return ()


def _shuffled(model: Model, chance: Random) -> list[int]:
    """The edges in an order that prefers heavy ones by chance, so that other seeds take other ways.

    Sorting by the logarithm of a random number over the weight draws the edges by weight, without putting
    back.
    """
    keys = []
    for edge, transition in enumerate(model.transitions):
        # Drawn for every edge, so that one edge's weight does not change the luck of the next.
        number = 1 - chance.random()
        if transition.action.weight > 0:
            keys.append((-math.log(number) / transition.action.weight, edge))
    return [edge for _, edge in sorted(keys)]
