"""The states and actions that the graph of a model makes impossible, whatever the outcomes are."""

from collections import defaultdict
from dataclasses import dataclass

from opendai.engine.coverage import Pair
from opendai.engine.model.elements import Model, StateKind, Transition, is_walkable


@dataclass(frozen=True, slots=True)
class Feasibility:
    """Names in the document's order. As for coverage, call limits and the order of Sequent actions do not
    count.

    `unreachable_states` are Start and Normal states that no path leads to. `unreachable_actions` are pairs
    of state and action that no run can take outside Exception and Cleanup, with an empty state for a global
    action that no state offers. `dead_ends` are reachable states that no action leads out of, `cannot_exit`
    reachable states from which no path leads to Exit.
    """

    unreachable_states: tuple[str, ...]
    unreachable_actions: tuple[Pair, ...]
    dead_ends: tuple[str, ...]
    cannot_exit: tuple[str, ...]

    @property
    def unreachable(self) -> tuple[str, ...]:
        """States and actions out of reach in the spelling of test cases: `State "Basket"`."""
        states = (f'State "{name}"' for name in self.unreachable_states)
        actions = (f'Action "{name}"' for _, name in self.unreachable_actions)
        return tuple(dict.fromkeys((*states, *actions)))


def feasibility(model: Model) -> Feasibility:
    reachable = {state.id for state in model.reachable}
    walkable = [state for state in model.reachable if is_walkable(state)]
    leading = _leading_to(model)
    leaving = {origin for target, origins in leading.items() for origin in origins if origin != target}
    exits = [state.id for state in model.reachable if state.kind is StateKind.EXIT]
    can_exit = _closure(exits, leading)
    return Feasibility(
        unreachable_states=tuple(s.name for s in model.states if is_walkable(s) and s.id not in reachable),
        unreachable_actions=_unreachable_actions(model),
        dead_ends=tuple(state.name for state in walkable if state.id not in leaving),
        cannot_exit=tuple(state.name for state in walkable if state.id not in can_exit),
    )


def _leading_to(model: Model) -> dict[int, set[int]]:
    leading: dict[int, set[int]] = defaultdict(set)
    for transition in model.transitions:
        for target in _targets(model, transition):
            leading[target].add(transition.state.id)
    return leading


def _targets(model: Model, transition: Transition) -> tuple[int, ...]:
    target = model.target_of(*transition)
    return model.came_from[transition.state.id] if target is None else (target.id,)


def _closure(found: list[int], leading: dict[int, set[int]]) -> set[int]:
    closure = set(found)
    waiting = list(found)
    while waiting:
        new = leading.get(waiting.pop(), set()) - closure
        closure |= new
        waiting.extend(new)
    return closure


def _unreachable_actions(model: Model) -> tuple[Pair, ...]:
    taken = {transition.action.id for transition in model.transitions}
    owners = {state.id: state for state in model.states}
    unreachable = []
    for action in model.actions:
        owner = None if action.owner is None else owners[action.owner]
        if action.id not in taken and (owner is None or is_walkable(owner) or owner.kind is StateKind.EXIT):
            unreachable.append((owner.name if owner else "", action.name))
    return tuple(unreachable)
