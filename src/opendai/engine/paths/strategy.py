"""The port between a walk and a generator of paths."""

from collections.abc import Mapping
from random import Random
from typing import Protocol

from opendai.engine.coverage import Pair, RunCoverage
from opendai.engine.model.elements import Model
from opendai.engine.paths.graph import Journey, build_graph
from opendai.engine.paths.plan import Ending, Plan


class Strategy(Protocol):
    """Chooses the steps of one walk."""

    @property
    def journey(self) -> Journey: ...

    def choose(self) -> int | Ending:
        """The edge to take next from the journey's place, or why there is none."""

    def note(self, edge: int) -> None:
        """The journey has taken the edge."""


class BeginWalk(Protocol):
    """Makes a strategy. `hits` is how often past runs took each action in each state; `chance` follows the seed."""

    def __call__(self, model: Model, plan: Plan, *, hits: Mapping[Pair, int], chance: Random) -> Strategy: ...


def begin_journey(model: Model, edges_in_order: list[int]) -> Journey:
    return Journey(build_graph(model, edges_in_order), RunCoverage(model), model.states.index(model.start))
