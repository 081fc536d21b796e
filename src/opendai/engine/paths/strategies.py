"""Every generator of paths. A new one is a module of this room and an entry here."""

from collections.abc import Mapping
from dataclasses import dataclass

from opendai.engine.paths.by_chance import RandomStrategy
from opendai.engine.paths.directed import DirectedStrategy
from opendai.engine.paths.exploratory import ExploratoryStrategy
from opendai.engine.paths.strategy import BeginWalk


@dataclass(frozen=True, slots=True)
class Generator:
    """A way to walk a model, as people choose it."""

    summary: str
    begin: BeginWalk
    needs_test_case: bool = False
    uses_hits: bool = False


STRATEGIES: Mapping[str, Generator] = {
    "exploratory": Generator(
        "The states and actions that past runs covered least come first.", ExploratoryStrategy, uses_hits=True
    ),
    "random": Generator("By weight among the actions that can be taken, until Exit.", RandomStrategy),
    "directed": Generator(
        "Through the goals of a test case in the fewest steps.", DirectedStrategy, needs_test_case=True
    ),
}

# An execution names one of these; a test case makes a walk directed by itself.
CHOSEN_BY_NAME = tuple(name for name, generator in STRATEGIES.items() if not generator.needs_test_case)
