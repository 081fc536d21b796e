"""The cases of the contract: a request for each operation that succeeds, and one for each refusal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.contract.world import Caller, World

Ask = Callable[[World, Caller], Any]


@dataclass(frozen=True)
class Case:
    """`ask` arranges what it needs in the world and lets the caller, by default `by`, send one request."""

    operation: str
    by: str
    ask: Ask


successes: dict[str, Case] = {}
refusals: dict[tuple[str, int], Case] = {}


def success(operation: str, *, by: str = "alice") -> Callable[[Ask], Ask]:
    """The request that shows an operation working."""

    def register(ask: Ask) -> Ask:
        assert operation not in successes, f"{operation} has a success case already"
        successes[operation] = Case(operation, by, ask)
        return ask

    return register


def error(operation: str, status: int, *, by: str = "alice") -> Callable[[Ask], Ask]:
    """The request that provokes a refusal."""

    def register(ask: Ask) -> Ask:
        assert (operation, status) not in refusals, f"{operation} has a case for {status} already"
        refusals[operation, status] = Case(operation, by, ask)
        return ask

    return register
