"""How random walks choose their next step."""

from collections.abc import Mapping
from random import Random

from opendai.engine.coverage import Pair
from opendai.engine.model.elements import Model, is_walkable
from opendai.engine.paths.plan import Ending, Plan, step_limit_reached, stuck, target_reached
from opendai.engine.paths.strategy import begin_journey


class RandomStrategy:
    """By weight among what can be taken, until Exit."""

    def __init__(
        self,
        model: Model,
        plan: Plan,
        *,
        hits: Mapping[Pair, int],
        chance: Random,
    ) -> None:
        weights = [transition.action.weight for transition in model.transitions]
        self.journey = begin_journey(model, [edge for edge, weight in enumerate(weights) if weight > 0])
        self._plan = plan
        self._chance = chance
        self._weights = weights

    def choose(self) -> int | Ending:
        journey = self.journey
        target = self._plan.target_coverage
        if target is not None and journey.coverage.result.fraction >= target:
            return Ending("PASSED", target_reached(target))
        state = journey.graph.model.states[journey.state]
        if not is_walkable(state):
            return Ending("PASSED", f'the state "{state.name}" was entered')
        if journey.steps >= self._plan.step_limit:
            return Ending("PASSED", step_limit_reached(self._plan))
        edges = [edge for edge in journey.graph.leaving[journey.state] if journey.is_available(edge)]
        if not edges:
            return stuck(state.name, journey.steps)
        return self._chance.choices(edges, [self._weights[edge] for edge in edges])[0]

    def note(self, edge: int) -> None:
        """Chance has no memory."""
