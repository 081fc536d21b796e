"""Small models, walks through them, and slow searches that are too simple to be wrong."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from opendai import engine
from opendai.engine import Action, ActionKind, Goal, GoalKind, Model, Outcome, Plan, State, StateKind, Step

NORMAL, START, EXIT = StateKind.NORMAL, StateKind.START, StateKind.EXIT


def make_model(
    states: str | Mapping[str, StateKind], actions: Iterable[tuple[Any, ...]], **settings: Any
) -> Model:
    """A model from names. The first state is Start if kinds are not given.

    An action is its name, its owner or None, its target or None, and then other fields of `Action` if any.
    """
    kinds = states if isinstance(states, Mapping) else dict.fromkeys(states.split(), NORMAL)
    if not isinstance(states, Mapping):
        kinds = {name: START if index == 0 else NORMAL for index, name in enumerate(kinds)}
    ids = {name: number for number, name in enumerate(kinds, start=1)}
    made = []
    for number, (name, owner, target, *fields) in enumerate(actions, start=100):
        link: dict[str, Any] = {"owner": ids.get(owner), "target": ids.get(target)}
        made.append(Action(number, name, **link, **(fields[0] if fields else {})))
    return engine.build_model(
        name="M",
        states=[State(ids[name], name, kind) for name, kind in kinds.items()],
        actions=made,
        **settings,
    )


def walk_through(
    model: Model,
    plan: Plan,
    hits: Mapping[engine.Pair, int] | None = None,
    fails: Callable[[Step], bool] = lambda _: False,
) -> tuple[list[Step], engine.Walk]:
    walk = engine.start_walk(model, plan, hits)
    steps = []
    while (step := walk.next_step()) is not None:
        steps.append(step)
        walk.record(Outcome.FAILED if fails(step) else Outcome.PASSED)
    return steps, walk


def pairs(steps: list[Step]) -> list[engine.Pair]:
    return [(step.state, step.action) for step in steps if step.phase == "walk"]


def ended(walk: engine.Walk) -> tuple[str, str]:
    assert walk.conclusion is not None
    return walk.conclusion.status, walk.conclusion.reason


# Where a run is: its state, the state before, and how often it has taken what.
Place = tuple[State, State | None, tuple[tuple[int, int], ...]]


def begin(model: Model) -> Place:
    return (model.start, None, ())


def moves(model: Model, place: Place) -> Iterator[tuple[Action, Place]]:
    """Every action that the place allows, by the words of the documentation and nothing else."""
    state, previous, taken = place
    counts = Counter(dict(taken))
    if state.kind not in {START, NORMAL}:
        return
    for action in model.actions_in(state):
        if action.call_limit and counts[action.id] >= action.call_limit:
            continue
        if action.kind is ActionKind.SEQUENT and any(
            other.kind is ActionKind.SEQUENT and other.owner == action.owner and not counts[other.id]
            for other in model.actions[: model.actions.index(action)]
        ):
            continue
        target = model.target_of(state, action) or previous
        if target is None:
            continue
        # How often matters up to the limit only, which keeps the number of places finite.
        most = action.call_limit or 1
        after = tuple(sorted((counts | {action.id: min(most, counts[action.id] + 1)}).items()))
        yield action, (target, state if target is not state else previous, after)


def assert_walkable(model: Model, steps: list[Step]) -> None:
    place = begin(model)
    for step in steps:
        assert step.state == place[0].name
        possible = {action.name: onward for action, onward in moves(model, place)}
        assert step.action in possible
        place = possible[step.action]
        assert step.target == place[0].name


def fewest_steps(model: Model, goals: tuple[Goal, ...]) -> int | None:
    """The length of a shortest way through the goals, by looking at every way; None if there is none."""

    def reach(count: int, action: Action | None, state: State) -> int:
        if action and count < len(goals) and goals[count] == Goal(GoalKind.ACTION, action.name):
            count += 1
        while count < len(goals) and goals[count] == Goal(GoalKind.STATE, state.name):
            count += 1
        return count

    layer = {(begin(model), reach(0, None, model.start))}
    seen = set(layer)
    steps = 0
    while layer:
        if any(count == len(goals) for _, count in layer):
            return steps
        layer = {
            (onward, reach(count, action, onward[0]))
            for place, count in layer
            for action, onward in moves(model, place)
        } - seen
        seen |= layer
        steps += 1
    return None


def most_coverage(model: Model) -> float:
    """The best coverage of any one run of a model without limits, by looking at every run."""
    layer = {(model.start.name, frozenset[engine.Pair]())}
    seen = set(layer)
    while layer:
        layer = {
            (onward[0].name, taken | {(state, action.name)})
            for state, taken in layer
            if (found := model.find_state(state))
            for action, onward in moves(model, (found, None, ()))
        } - seen
        seen |= layer
    return max(engine.run_coverage(model, taken) for _, taken in seen)


@st.composite
def models(draw: st.DrawFn, *, most_actions: int = 8, is_plain: bool = False, has_exit: bool = True) -> Model:
    """Any small model; a plain one without call limits, weights, Sequent and Previous actions."""
    names = ["S", "A", "B", "C"][: draw(st.integers(1, 4))]
    states = [State(i, name, START if i == 1 else NORMAL) for i, name in enumerate(names, start=1)]
    if has_exit and draw(st.booleans()):
        states.append(State(9, "Exit", EXIT))
    owners = [None, *(state.id for state in states if state.kind is not EXIT)]
    kinds = [ActionKind.NORMAL] if is_plain else [*ActionKind, ActionKind.NORMAL, ActionKind.NORMAL]
    actions = [
        Action(
            id=100 + number,
            # Some names recur in other states, and then name several actions in a test case.
            name=f"a{number}" if draw(st.booleans()) else "same",
            kind=draw(st.sampled_from(kinds)),
            owner=draw(st.sampled_from(owners)),
            target=draw(st.sampled_from([None, *(state.id for state in states)])),
            call_limit=0 if is_plain else draw(st.integers(0, 2)),
            weight=100 if is_plain else draw(st.sampled_from([0, 1, 100])),
        )
        for number in range(draw(st.integers(0, most_actions)))
    ]
    return engine.build_model(
        name="M",
        states=states,
        actions=_told_apart(actions),
        allow_global_actions_in_start=draw(st.booleans()),
    )


def _told_apart(actions: list[Action]) -> list[Action]:
    """Without what a document is refused for: actions of the same name in one state."""
    kept: list[Action] = []
    for action in actions:
        if not any(
            other.name == action.name and (None in {other.owner, action.owner} or other.owner == action.owner)
            for other in kept
        ):
            kept.append(action)
    return kept
