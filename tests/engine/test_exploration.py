"""Exploratory walks: what they go to first, and when they have seen enough."""

from collections import Counter

import pytest

from opendai import engine
from opendai.engine import ActionKind, Model, Plan

from .walking import EXIT, NORMAL, START, assert_walkable, ended, make_model, pairs, walk_through


@pytest.mark.parametrize("seed", range(10))
def test_exploring_petclinic_covers_all_of_it(petclinic: Model, seed: int) -> None:
    steps, walk = walk_through(petclinic, Plan(seed=seed))
    assert_walkable(petclinic, steps)
    assert set(pairs(steps)) == {transition.pair for transition in petclinic.transitions}
    assert walk.coverage == 1
    assert ended(walk) == ("PASSED", "every reachable state and action was covered")
    # 25 transitions; a walk at random takes some hundreds of steps for them.
    assert len(steps) < 50


@pytest.mark.parametrize("seed", range(10))
def test_exploring_the_store_takes_all_but_what_one_run_cannot(webstore: Model, seed: int) -> None:
    steps, walk = walk_through(webstore, Plan(seed=seed))
    assert_walkable(webstore, steps)
    left = {transition.pair for transition in webstore.transitions} - set(pairs(steps))
    assert {action for _, action in left} <= {"Open help", "Take a look", "Leave", "Finish"}
    counts = Counter(action for _, action in pairs(steps))
    assert (counts["Open help"], counts["Take a look"], counts["Leave"] + counts["Finish"]) == (1, 2, 1)
    assert [step.target for step in steps].index("Exit") == len(steps) - 1
    assert ended(walk) == ("PASSED", 'nothing else was left in reach, and the state "Exit" was entered')


def test_runs_that_know_of_each_other_cover_the_store(webstore: Model) -> None:
    hits: Counter[engine.Pair] = Counter()
    runs = []
    for seed in range(15):
        runs.append(pairs(walk_through(webstore, Plan(seed=seed), hits)[0]))
        hits.update(runs[-1])
    # Help is entered by its only call, so no run can call it from there.
    assert {transition.pair for transition in webstore.transitions} - set(hits) == {("Help", "Open help")}
    assert engine.measure_coverage(webstore, runs) == engine.Coverage(64, 65)


def test_exploring_goes_first_to_what_past_runs_took_least() -> None:
    model = make_model(
        "S A B C", [(f"to{name}", "S", name) for name in "ABC"] + [(f"of{n}", n, "S") for n in "ABC"]
    )
    hits = {
        ("S", "toA"): 8,
        ("S", "toB"): 1,
        ("S", "toC"): 40,
        ("X", "x"): 3,
        **{(n, f"of{n}"): 99 for n in "ABC"},
    }
    for seed in range(5):
        taken = pairs(walk_through(model, Plan(seed=seed), hits)[0])
        assert [action for state, action in taken if state == "S"][:3] == ["toB", "toA", "toC"]


def test_exploring_ends_through_the_exit_that_past_runs_took_least() -> None:
    model = make_model(
        {"S": START, "A": NORMAL, "E": EXIT},
        [("a", "S", "E"), ("b", "S", "E"), ("go", "S", "A"), ("r", "A", "S")],
    )
    for seed in range(5):
        steps, _ = walk_through(model, Plan(seed=seed), {("S", "a"): 1})
        assert pairs(steps) == [("S", "go"), ("A", "r"), ("S", "b")]


def test_exploring_leaves_for_good_only_where_most_is_left() -> None:
    actions = [("poor", "S", "A"), ("rich", "S", "B"), ("x", "B", "C"), ("y", "C", "B"), ("stay", "S", None)]
    for seed in range(5):
        steps, walk = walk_through(make_model("S A B C", actions), Plan(seed=seed))
        assert pairs(steps) == [("S", "stay"), ("S", "rich"), ("B", "x"), ("C", "y")]
        assert ended(walk) == ("PASSED", "nothing new was left in reach")


def test_exploring_names_what_the_model_makes_impossible() -> None:
    _, walk = walk_through(make_model("S U", [("stay", "S", None), ("lost", "U", "S")]), Plan())
    assert walk.conclusion is not None
    assert walk.conclusion.unreachable == ('State "U"', 'Action "lost"')
    assert ended(walk) == ("PASSED", "every reachable state and action was covered")


def test_exploring_stops_at_its_target_and_at_its_limit(petclinic: Model) -> None:
    _, walk = walk_through(petclinic, Plan(target_coverage=0.5))
    assert ended(walk) == ("PASSED", "the target coverage of 50 % was reached")
    assert 0.5 <= walk.coverage < 0.6
    steps, walk = walk_through(petclinic, Plan(step_limit=5))
    assert (len(steps), ended(walk)) == (5, ("PASSED", "the step limit of 5 was reached"))


def test_exploring_finishes_a_part_before_it_uses_up_the_way_back() -> None:
    once = {"call_limit": 1}
    model = make_model(
        "S A B",
        [
            ("go", "S", "A"),
            ("cross", "A", "B", once),
            ("return", "B", "A", once),
            ("stay a", "A", None),
            ("stay b", "B", None),
        ],
    )
    for seed in range(10):
        assert walk_through(model, Plan(seed=seed))[1].coverage == 1


def test_a_use_is_not_kept_for_a_state_that_cannot_be_reached() -> None:
    sequent = {"kind": ActionKind.SEQUENT}
    model = make_model(
        "S A",
        [
            ("one", "S", None, {**sequent, "weight": 0}),
            ("two", "S", "A", sequent),
            ("look", None, None, {"call_limit": 1}),
        ],
    )
    steps, walk = walk_through(model, Plan(), {("S", "look"): 5})
    assert pairs(steps) == [("S", "look")]
    assert ended(walk) == ("PASSED", "nothing new was left in reach")
