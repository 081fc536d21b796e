"""Coverage: which items there are, how many, and which of them a run has covered."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendai import engine
from opendai.engine import ActionKind, Model, Plan, StateKind
from opendai.errors import Invalid

from .walking import make_model, models, pairs, walk_through

RING = make_model("S A B", [("go", "S", "A"), ("on", "A", "B"), ("back", "B", "A"), ("look", "A", None)])


def test_at_depth_one_items_are_states_and_transitions() -> None:
    assert engine.coverage_items(RING) == {
        *("S", "A", "B"),
        *((("S", "go"),), (("A", "on"),), (("B", "back"),), (("A", "look"),)),
    }
    assert engine.possible_count(RING) == 7


def test_at_depth_two_items_are_transitions_that_follow_one_another() -> None:
    assert engine.coverage_items(RING, path_depth=2) == {
        (("S", "go"), ("A", "on")),
        (("S", "go"), ("A", "look")),
        (("A", "on"), ("B", "back")),
        (("B", "back"), ("A", "on")),
        (("B", "back"), ("A", "look")),
        (("A", "look"), ("A", "look")),
        (("A", "look"), ("A", "on")),
    }


def test_a_run_covers_the_states_at_both_ends() -> None:
    assert engine.run_coverage(RING, []) == 0
    assert engine.run_coverage(RING, [("S", "go")]) == 3 / 7
    assert engine.run_coverage(RING, [("S", "go"), ("S", "go"), ("A", "look")]) == 4 / 7


def test_names_that_the_model_does_not_know_change_nothing() -> None:
    assert engine.run_coverage(RING, [("S", "on"), ("X", "go"), ("", "")]) == 0


def test_exception_and_cleanup_and_what_is_out_of_reach_do_not_count() -> None:
    states = dict(zip("SAXCU", [StateKind.START, *[StateKind.NORMAL] * 4], strict=True))
    states |= {"X": StateKind.EXCEPTION, "C": StateKind.CLEANUP, "E": StateKind.EXIT}
    actions = [
        ("go", "S", "A"),
        ("out", "A", "E"),
        ("fix", "X", None),
        ("tidy", "C", None),
        ("odd", "U", "A"),
    ]
    model = make_model(states, actions)
    assert engine.coverage_items(model) == {"S", "A", "E", (("S", "go"),), (("A", "out"),)}
    assert engine.run_coverage(model, [("S", "go"), ("A", "out"), ("C", "tidy")]) == 1


def test_several_runs_are_covered_together() -> None:
    runs = [[("S", "go"), ("A", "on")], [("S", "go"), ("A", "look"), ("A", "look")]]
    assert engine.measure_coverage(RING, runs) == engine.Coverage(6, 7)
    assert engine.measure_coverage(RING, runs, path_depth=2) == engine.Coverage(3, 7)
    assert engine.measure_coverage(RING, runs, path_depth=3).covered == 1
    assert engine.Coverage(0, 0).fraction == 0


def test_a_path_is_interrupted_by_what_cannot_follow() -> None:
    taken = [("S", "go"), ("B", "back"), ("A", "look"), ("X", "x"), ("A", "on"), ("S", "go"), ("A", "on")]
    assert engine.covered_items(RING, taken, path_depth=2) == {
        (("B", "back"), ("A", "look")),
        (("S", "go"), ("A", "on")),
    }


def test_going_back_leads_only_to_the_state_before() -> None:
    model = make_model(
        "S A B",
        [
            ("a", "S", "A"),
            ("b", "S", "B"),
            ("ab", "A", "B"),
            ("back", "B", None, {"kind": ActionKind.PREVIOUS}),
        ],
    )
    items = engine.coverage_items(model, path_depth=2)
    assert {item[1] for item in items if item[0] == ("B", "back")} == {
        ("S", "a"),
        ("S", "b"),
        ("A", "ab"),
    }
    # From A it is back to A, so S cannot follow.
    assert engine.possible_count(model, path_depth=3) == _count_paths(model, 3)
    taken = [("A", "ab"), ("B", "back"), ("S", "a")]
    assert engine.covered_items(model, taken, path_depth=3) == frozenset()
    assert engine.covered_items(model, [*taken[:2], ("A", "ab")], path_depth=3) != frozenset()


@settings(max_examples=100, deadline=None)
@given(model=models(most_actions=5), path_depth=st.integers(2, 4))
def test_counting_agrees_with_listing(model: Model, path_depth: int) -> None:
    assert engine.possible_count(model, path_depth=path_depth) == _count_paths(model, path_depth)
    if path_depth == 2:
        assert engine.possible_count(model, path_depth=2) == len(engine.coverage_items(model, path_depth=2))


@settings(max_examples=100, deadline=None)
@given(model=models(), seed=st.integers(0, 3), path_depth=st.integers(2, 5))
def test_every_window_of_a_walk_is_covered(model: Model, seed: int, path_depth: int) -> None:
    steps, _ = walk_through(model, Plan(kind="random", seed=seed, step_limit=30))
    taken = pairs(steps)
    windows = {tuple(taken[i : i + path_depth]) for i in range(len(taken) - path_depth + 1)}
    assert engine.covered_items(model, taken, path_depth=path_depth) == windows
    if path_depth == 2:
        assert set(pairwise(taken)) <= engine.coverage_items(model, path_depth=2)


def test_deep_paths_are_counted_where_they_cannot_be_listed() -> None:
    states = " ".join(f"s{i}" for i in range(30))
    model = make_model(states, [(f"g{i}", None, f"s{i}") for i in range(30)])
    assert engine.possible_count(model, path_depth=5) == 30 * 30**5
    with pytest.raises(Invalid, match="too many"):
        engine.coverage_items(model, path_depth=3)


@pytest.mark.parametrize("depths", [{"path_depth": 0}, {"path_depth": 6}, {"variable_depth": 3}])
def test_depths_that_do_not_exist_are_refused(depths: dict[str, int]) -> None:
    with pytest.raises(Invalid, match="depth is 1"):
        engine.possible_count(RING, **depths)
    with pytest.raises(Invalid, match="depth is 1"):
        engine.covered_items(RING, [], **depths)


def test_without_parameters_their_depth_changes_nothing(webstore: Model) -> None:
    assert engine.possible_count(webstore, path_depth=2, variable_depth=2) == 250


def _count_paths(model: Model, length: int) -> int:
    """The different paths of this many transitions, tried from every state with every state before it."""
    found: set[tuple[engine.Pair, ...]] = set()
    reachable = {state.id: state for state in model.reachable}
    for state in model.reachable:
        for previous in [None, *(reachable[origin] for origin in model.came_from.get(state.id, ()))]:
            _extend(model, (state, previous), (), length, found)
    return len(found)


def _extend(model: Model, place, path, length, found) -> None:
    if len(path) == length:
        found.add(path)
        return
    for transition in model.transitions:
        state, action = transition
        if state is not place[0]:
            continue
        target = model.target_of(state, action) or place[1]
        if target is not None:
            onward = (target, state if target is not state else place[1])
            _extend(model, onward, (*path, transition.pair), length, found)
