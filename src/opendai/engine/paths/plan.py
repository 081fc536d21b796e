"""The task of a walk, and how the walk ends."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from opendai.errors import Invalid

Status: TypeAlias = Literal["PASSED", "FAILED", "ERROR", "CANCELLED"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to walk a model; the same plan, past hits and outcomes always make the same walk.

    `kind` is the name of a generator in `STRATEGIES`. `step_limit` counts actions, without those of Exception and
    Cleanup. `target_coverage` is above 0 and at most 1 and ends a walk that reaches it; None means 1 for an
    exploratory walk and no such end for a random one. `test_case` is what a directed walk visits, in the test-case
    language, and empty for all others.
    """

    kind: str = "exploratory"
    seed: int = 0
    step_limit: int = 10_000
    target_coverage: float | None = None
    test_case: str = ""

    def __post_init__(self) -> None:
        if self.step_limit < 1:
            raise Invalid(f"The step limit {self.step_limit} lets a walk take no step.")
        if self.target_coverage is not None and not 0 < self.target_coverage <= 1:
            raise Invalid(f"The target coverage {self.target_coverage} is not above 0 and at most 1.")


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a strategy takes no further step; `unreachable` is in the spelling of test cases."""

    status: Status
    reason: str
    unreachable: tuple[str, ...] = ()


def step_limit_reached(plan: Plan) -> str:
    return f"the step limit of {plan.step_limit} was reached"


def target_reached(target: float) -> str:
    if target == 1:
        return "every reachable state and action was covered"
    return f"the target coverage of {target * 100:g} % was reached"


def stuck(state: str, steps: int) -> Ending:
    """The end of a walk that chance may not go on from; it has done nothing if this is its beginning."""
    return Ending("PASSED" if steps else "ERROR", f'no action can be chosen in the state "{state}"')
