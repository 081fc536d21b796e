"""The model under test as an immutable graph: states, actions, and where each action may be taken."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class StateKind(StrEnum):
    """The purpose of a state. Exception and Cleanup are entered by the run itself, Exit ends it."""

    START = "Start"
    NORMAL = "Normal"
    EXCEPTION = "Exception"
    CLEANUP = "Cleanup"
    EXIT = "Exit"


class ActionKind(StrEnum):
    """How an action behaves, by the names of the DAI documentation.

    The documentation says "fixed order" of Sequent and "go back to the previous state" of Previous, and no
    more. Here a Sequent action can be taken once the Sequent actions before it in the same state have been
    taken in this run, and a Previous action leads to the state that the run left when it entered the present
    one.
    """

    NORMAL = "Normal"
    SEQUENT = "Sequent"
    PREVIOUS = "Previous"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A script, or a handler of one, which an agent runs: `Shop.script:sign_in`."""

    script_path: str
    full_name: str
    kind: str = "normal"


@dataclass(frozen=True, slots=True)
class State:
    """A state of the system under test; its snippets run whenever a run arrives in it."""

    id: int
    name: str
    kind: StateKind
    snippets: tuple[Snippet, ...] = ()
    rci_tag: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done in a state.

    `owner` is the id of that state, None for a global action. `target` is the id of the state that it leads
    to, None if the run stays where it is. `call_limit` is how often a run may take it, 0 for any number; all
    states share the limit of a global action. `weight` is its share among the actions that chance chooses
    from.
    """

    id: int
    name: str
    kind: ActionKind = ActionKind.NORMAL
    owner: int | None = None
    target: int | None = None
    call_limit: int = 0
    weight: float = 100
    snippets: tuple[Snippet, ...] = ()
    rci_tag: str | None = None


@dataclass(frozen=True, slots=True)
class StoredTestCase:
    """A test case that the model's document carries; `text` is in the test-case language and not yet
    parsed.
    """

    name: str
    text: str
    tags: str = ""
    description: str = ""
    origin: str = ""
    external_id: str = ""
    id: int | str | None = None


class Transition(NamedTuple):
    """One action, taken in one state."""

    state: State
    action: Action

    @property
    def pair(self) -> tuple[str, str]:
        """The names of state and action, by which runs and reports know the transition."""
        return (self.state.name, self.action.name)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The graph of one model; build it with `build_model` or `parse_model`.

    `reachable` are the Start, Normal and Exit states that some path of actions leads to, and `transitions`
    what can be taken on such paths, both in the document's order. Neither looks at call limits, at weights,
    or at the order of Sequent actions.
    """

    name: str
    states: tuple[State, ...]
    actions: tuple[Action, ...]
    global_actions: tuple[Action, ...]
    test_cases: tuple[StoredTestCase, ...]
    suite_path: str
    all_snippets_disabled: bool
    run_cleanup_after_abort: bool
    start: State
    exception: State | None
    cleanup: State | None
    reachable: tuple[State, ...]
    transitions: tuple[Transition, ...]
    # For each state id, where a Previous action may lead; empty in a model without such actions.
    came_from: Mapping[int, tuple[int, ...]]
    _by_name: Mapping[str, State]
    _by_id: Mapping[int, State]
    _actions_in: Mapping[int, tuple[Action, ...]]

    def find_state(self, name: str) -> State | None:
        return self._by_name.get(name)

    def actions_in(self, state: State) -> tuple[Action, ...]:
        """The actions offered in the state: its own, then the global ones, each in the document's order."""
        return self._actions_in[state.id]

    def target_of(self, state: State, action: Action) -> State | None:
        """Where the action leads from the state: the state itself if it stays, None for a Previous action."""
        if action.kind is ActionKind.PREVIOUS:
            return None
        return state if action.target is None else self._by_id[action.target]


def build_model(
    *,
    name: str,
    states: Iterable[State],
    actions: Iterable[Action],
    test_cases: Iterable[StoredTestCase] = (),
    suite_path: str = "",
    all_snippets_disabled: bool = False,
    run_cleanup_after_abort: bool = False,
    allow_global_actions_in_start: bool = True,
) -> Model:
    """Link states and actions that are already known to fit together: one Start state, no id that dangles."""
    states = tuple(states)
    actions = tuple(actions)
    by_id = MappingProxyType({state.id: state for state in states})
    global_actions = tuple(action for action in actions if action.owner is None)
    actions_in = _offered(states, actions, global_actions, allow_global_actions_in_start)
    start = next(state for state in states if state.kind is StateKind.START)
    reached = _reached(start, by_id, actions_in)
    came_from = _came_from(reached, by_id, actions_in)
    return Model(
        name=name,
        states=states,
        actions=actions,
        global_actions=global_actions,
        test_cases=tuple(test_cases),
        suite_path=suite_path,
        all_snippets_disabled=all_snippets_disabled,
        run_cleanup_after_abort=run_cleanup_after_abort,
        start=start,
        exception=next((state for state in states if state.kind is StateKind.EXCEPTION), None),
        cleanup=next((state for state in states if state.kind is StateKind.CLEANUP), None),
        reachable=tuple(state for state in states if state.id in reached),
        transitions=tuple(
            Transition(state, action)
            for state in states
            if state.id in reached and is_walkable(state)
            for action in actions_in[state.id]
            if action.kind is not ActionKind.PREVIOUS or came_from.get(state.id)
        ),
        came_from=came_from,
        _by_name=MappingProxyType({state.name: state for state in states}),
        _by_id=by_id,
        _actions_in=actions_in,
    )


def is_walkable(state: State) -> bool:
    """Whether a walk goes on from the state: every other kind ends it."""
    return state.kind in {StateKind.START, StateKind.NORMAL}


def _offered(
    states: tuple[State, ...],
    actions: tuple[Action, ...],
    global_actions: tuple[Action, ...],
    allow_global_actions_in_start: bool,
) -> Mapping[int, tuple[Action, ...]]:
    own: dict[int, list[Action]] = {state.id: [] for state in states}
    for action in actions:
        if action.owner is not None:
            own[action.owner].append(action)
    with_global = {StateKind.NORMAL, StateKind.START} if allow_global_actions_in_start else {StateKind.NORMAL}
    return MappingProxyType(
        {
            state.id: (*own[state.id], *(global_actions if state.kind in with_global else ()))
            for state in states
        }
    )


def _reached(
    start: State, by_id: Mapping[int, State], actions_in: Mapping[int, tuple[Action, ...]]
) -> frozenset[int]:
    """The ids of what can be entered; a Previous action adds nothing, as it only leads back."""
    reached = {start.id}
    waiting = [start]
    while waiting:
        for action in actions_in[waiting.pop().id]:
            if action.kind is ActionKind.PREVIOUS or action.target is None or action.target in reached:
                continue
            target = by_id[action.target]
            # A run that an action sends to an Exception or Cleanup state has left what coverage is about.
            if is_walkable(target) or target.kind is StateKind.EXIT:
                reached.add(target.id)
                if is_walkable(target):
                    waiting.append(target)
    return frozenset(reached)


def _came_from(
    reached: frozenset[int], by_id: Mapping[int, State], actions_in: Mapping[int, tuple[Action, ...]]
) -> Mapping[int, tuple[int, ...]]:
    walkable = [by_id[state] for state in by_id if state in reached and is_walkable(by_id[state])]
    returning = {
        state.id for state in walkable if any(a.kind is ActionKind.PREVIOUS for a in actions_in[state.id])
    }
    if not returning:
        return MappingProxyType({})
    origins: dict[int, dict[int, None]] = {state.id: {} for state in walkable}
    for state in walkable:
        for action in actions_in[state.id]:
            target = None if action.kind is ActionKind.PREVIOUS else action.target
            if target is None or target == state.id or target not in origins:
                continue
            origins[target][state.id] = None
            if target in returning:
                # Going back is a way of entering too, so one can go back from going back.
                origins[state.id][target] = None
    return MappingProxyType({state: tuple(found) for state, found in origins.items()})
