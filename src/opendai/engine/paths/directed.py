"""How directed walks choose their next step."""

from collections import deque
from collections.abc import Mapping, Sequence
from random import Random

from opendai.engine.coverage import Pair
from opendai.engine.model.elements import Model
from opendai.engine.paths.plan import Ending, Plan, step_limit_reached
from opendai.engine.paths.reach import BUDGET, Target, find_way
from opendai.engine.paths.strategy import begin_journey
from opendai.engine.testcases import Goal, GoalKind, check_goals, parse_test_case

# How much of a search the goals of a test case are worth together, before they are searched for one by one.
JOINT_BUDGET = BUDGET


class DirectedStrategy:
    """Through the goals of a test case in the fewest steps.

    All goals are planned at once, so that no early choice spoils a later goal. A case that is too large for
    that is walked goal by goal, each by its own shortest way, and may then fail to see a way that exists.
    """

    def __init__(
        self,
        model: Model,
        plan: Plan,
        *,
        hits: Mapping[Pair, int],
        chance: Random,
    ) -> None:
        transitions = model.transitions
        # Sorting is stable: what weighs the same keeps the document's order.
        order = sorted(range(len(transitions)), key=lambda edge: -transitions[edge].action.weight)
        self.journey = begin_journey(model, order)
        self._plan = plan
        self._goals = parse_test_case(plan.test_case)
        check_goals(model, self._goals)
        self._targets = self._find_targets(model)
        self._planned = 0
        self._is_joint = True
        self._way: deque[int] = deque()

    def choose(self) -> int | Ending:
        while not self._way:
            if self._planned == len(self._goals):
                return Ending("PASSED", "the test case was visited to its end")
            ending = self._extend()
            if ending is not None:
                return ending
        if self.journey.steps >= self._plan.step_limit:
            return Ending("ERROR", f"{step_limit_reached(self._plan)} before the end of the test case")
        return self._way.popleft()

    def note(self, edge: int) -> None:
        """The plan holds whatever happens, as a failure ends the walk."""

    def _extend(self) -> Ending | None:
        """Plan on from the journey's place; an ending if that is impossible."""
        unreachable = [
            goal for goal, target in zip(self._goals, self._targets, strict=True) if not _exists(target)
        ]
        if unreachable:
            return _out_of_reach(unreachable)
        last = len(self._goals) if self._is_joint else self._planned + 1
        budget = JOINT_BUDGET if self._is_joint else BUDGET
        way = find_way(self.journey, self._targets[self._planned : last], budget=budget)
        if way.edges is not None:
            self._way.extend(way.edges)
            self._planned = last
        elif way.was_given_up and self._is_joint:
            self._is_joint = False
        else:
            return _out_of_reach([self._goals[self._planned + way.reached]])
        return None

    def _find_targets(self, model: Model) -> list[Target]:
        indices = {state.id: index for index, state in enumerate(model.states)}
        states = {state.name: Target(state=indices[state.id], is_narrow=True) for state in model.reachable}
        edges: dict[str, set[int]] = {}
        for edge, transition in enumerate(model.transitions):
            edges.setdefault(transition.action.name, set()).add(edge)
        actions = {
            name: Target(edges=found, is_narrow=len({self.journey.graph.targets[e] for e in found}) == 1)
            for name, found in edges.items()
        }
        known = {GoalKind.STATE: states, GoalKind.ACTION: actions}
        return [known[goal.kind].get(goal.name, Target()) for goal in self._goals]


def _exists(target: Target) -> bool:
    return target != Target()


def _out_of_reach(goals: Sequence[Goal]) -> Ending:
    names = tuple(dict.fromkeys(f'{goal.kind} "{goal.name}"' for goal in goals))
    return Ending("ERROR", f"out of reach: {', '.join(names)}", names)
