"""Walks: how each kind chooses, and why it ends."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from opendai import engine
from opendai.engine import ActionKind, Goal, Model, Plan
from opendai.errors import Invalid

from .conftest import SAMPLES
from .walking import EXIT, START, ended, fewest_steps, make_model, pairs, walk_through


def directed(model: Model, case: str, **plan: int) -> tuple[list[engine.Pair], engine.Walk]:
    steps, walk = walk_through(model, Plan(kind="directed", test_case=case, **plan))
    return pairs(steps), walk


def test_directed_cases_of_the_samples_pass_in_the_fewest_steps(petclinic: Model, webstore: Model) -> None:
    lengths = []
    for model in (petclinic, webstore):
        for case in model.test_cases:
            taken, walk = directed(model, case.text)
            assert ended(walk) == ("PASSED", "the test case was visited to its end")
            assert len(taken) == fewest_steps_without_limits(model, engine.parse_test_case(case.text))
            lengths.append(len(taken))
    assert lengths == [4, 2, 7, 4, 7]


def fewest_steps_without_limits(model: Model, goals: tuple[Goal, ...]) -> int | None:
    """No shortest way of the samples needs an action twice, so the slow search may do without its limits."""
    actions = [
        engine.Action(action.id, action.name, action.kind, action.owner, action.target)
        for action in model.actions
    ]
    return fewest_steps(engine.build_model(name="", states=model.states, actions=actions), goals)


def test_chance_follows_the_weights() -> None:
    heavy, light, never = {"weight": 90}, {"weight": 10}, {"weight": 0}
    model = make_model(
        "S", [("heavy", "S", None, heavy), ("light", "S", None, light), ("no", "S", None, never)]
    )
    steps, walk = walk_through(model, Plan(kind="random", seed=1, step_limit=2000))
    counts = Counter(step.action for step in steps)
    assert counts["no"] == 0
    assert 1700 < counts["heavy"] < 1900
    assert ended(walk) == ("PASSED", "the step limit of 2000 was reached")


def test_a_random_walk_ends_in_exit() -> None:
    model = make_model({"S": START, "E": EXIT}, [("out", "S", "E")])
    steps, walk = walk_through(model, Plan(kind="random"))
    assert (len(steps), walk.coverage) == (1, 1)
    assert ended(walk) == ("PASSED", 'the state "E" was entered')


def test_a_random_walk_minds_coverage_only_if_asked() -> None:
    model = make_model("S A", [("go", "S", "A"), ("back", "A", "S")])
    steps, walk = walk_through(model, Plan(kind="random", step_limit=30))
    assert len(steps) == 30
    steps, walk = walk_through(model, Plan(kind="random", target_coverage=0.75))
    assert (len(steps), ended(walk)) == (1, ("PASSED", "the target coverage of 75 % was reached"))


@pytest.mark.parametrize("kind", ["random", "exploratory"])
def test_a_walk_that_cannot_begin_is_an_error(kind: str) -> None:
    model = make_model("S A", [("never", "S", "A", {"weight": 0}), ("on", "A", None)])
    steps, walk = walk_through(model, Plan(kind=kind))
    assert (steps, ended(walk)) == ([], ("ERROR", 'no action can be chosen in the state "S"'))


def test_a_random_walk_that_gets_stuck_has_passed() -> None:
    model = make_model("S A", [("go", "S", "A")])
    _, walk = walk_through(model, Plan(kind="random"))
    assert ended(walk) == ("PASSED", 'no action can be chosen in the state "A"')


def test_goals_are_planned_together() -> None:
    # The short way to B uses up the only way to C.
    limit = {"call_limit": 1}
    model = make_model(
        "S A B C",
        [("key", "S", "B", limit), ("a", "S", "A"), ("b", "A", "B"), ("s", "B", "S"), ("key2", "B", "C")],
    )
    assert directed(model, 'State "B", State "S", Action "key", State "C"')[0] == [
        ("S", "a"),
        ("A", "b"),
        ("B", "s"),
        ("S", "key"),
        ("B", "key2"),
    ]


def test_a_dead_end_that_satisfies_a_goal_is_avoided() -> None:
    model = make_model("S T A B", [("do", "S", "T", {"weight": 999}), ("go", "S", "A"), ("do", "A", "B")])
    assert directed(model, 'Action "do", State "B"')[0] == [("S", "go"), ("A", "do")]


def test_directed_walks_prefer_weight_and_then_the_documents_order() -> None:
    model = make_model(
        "S A",
        [("first", "S", "A"), ("heavy", "S", "A", {"weight": 200}), ("also", "S", "A", {"weight": 200})],
    )
    assert directed(model, 'State "A"')[0] == [("S", "heavy")]


def test_the_start_state_counts_as_visited() -> None:
    model = make_model("S A", [("go", "S", "A", {"weight": 0})])
    assert directed(model, 'State "S", State "S", Action "go", State "A"')[0] == [("S", "go")]
    taken, walk = directed(model, 'State "S"')
    assert (taken, ended(walk)) == ([], ("PASSED", "the test case was visited to its end"))


def test_goals_out_of_reach_end_the_walk_before_its_first_step() -> None:
    model = make_model("S A U", [("go", "S", "A"), ("lost", "U", "S")])
    taken, walk = directed(model, 'State "A", State "U", Action "lost", State "U"')
    assert walk.conclusion is not None
    assert (taken, walk.conclusion.status) == ([], "ERROR")
    assert walk.conclusion.unreachable == ('State "U"', 'Action "lost"')
    taken, walk = directed(model, 'State "A", State "S"')
    assert (taken, ended(walk)) == ([], ("ERROR", 'out of reach: State "S"'))


def test_a_directed_walk_that_is_cut_short_is_an_error(petclinic: Model) -> None:
    taken, walk = directed(petclinic, 'State "OwnerInformation"', step_limit=2)
    assert (len(taken), ended(walk)) == (
        2,
        ("ERROR", "the step limit of 2 was reached before the end of the test case"),
    )


def test_a_case_too_large_to_plan_at_once_is_walked_goal_by_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model("S A B", [("go", "S", "A"), ("on", "A", "B"), ("back", "B", "S")])
    monkeypatch.setattr("opendai.engine.paths.directed.JOINT_BUDGET", 3)
    taken, walk = directed(model, 'State "B", State "A", Action "on"')
    assert taken == [("S", "go"), ("A", "on"), ("B", "back"), ("S", "go"), ("A", "on")]
    assert ended(walk)[0] == "PASSED"


def test_sequent_actions_are_taken_in_their_order() -> None:
    sequent = {"kind": ActionKind.SEQUENT}
    model = make_model("S", [("one", "S", None, sequent), ("two", "S", None, sequent)])
    for seed in range(5):
        assert pairs(walk_through(model, Plan(seed=seed))[0]) == [("S", "one"), ("S", "two")]
    assert directed(model, 'Action "two"')[0] == [("S", "one"), ("S", "two")]


def test_a_previous_action_goes_back_to_where_the_run_came_from() -> None:
    model = make_model(
        "S A B", [("a", "S", "A"), ("b", "A", "B"), ("undo", "B", None, {"kind": ActionKind.PREVIOUS})]
    )
    steps, walk = walk_through(model, Plan())
    assert [step.target for step in steps] == ["A", "B", "A"]
    assert walk.coverage == 1


def test_an_unknown_name_in_a_test_case_is_refused(petclinic: Model) -> None:
    with pytest.raises(engine.TestCaseError, match='did you mean "HomePage"'):
        engine.start_walk(petclinic, Plan(kind="directed", test_case='State "Homepage"'))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "sideways"},
        {"step_limit": 0},
        {"target_coverage": 0.0},
        {"target_coverage": 1.1},
        {"target_coverage": float("nan")},
        {"kind": "directed"},
        {"kind": "directed", "test_case": " "},
        {"kind": "random", "test_case": 'State "A"'},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(fields: dict[str, object], petclinic: Model) -> None:
    with pytest.raises(Invalid):
        engine.start_walk(petclinic, Plan(**fields))  # type: ignore[arg-type]


def test_walks_do_not_depend_on_how_the_process_hashes() -> None:
    script = (
        "import sys, pathlib; from opendai import engine as e\n"
        "model = e.parse_model(pathlib.Path(sys.argv[1]).read_text())\n"
        "cases = [e.Plan(kind='directed', test_case=case.text) for case in model.test_cases]\n"
        "for plan in [e.Plan(seed=7), e.Plan(kind='random', seed=7), *cases]:\n"
        "    walk = e.start_walk(model, plan, {('Home', 'Search'): 3})\n"
        "    while step := walk.next_step(): print(step); walk.record(e.Outcome.PASSED)\n"
    )
    document = SAMPLES / "webstore.modeljson.json"
    printed = {
        subprocess.run(
            [sys.executable, "-c", script, document],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(printed) == 1
    assert printed.pop().count("\n") > 50


def test_all_states_share_the_limit_of_a_global_action() -> None:
    actions = [
        ("jump", None, "A", {"call_limit": 1}),
        ("on", "A", "B"),
        ("over", "B", "S", {"call_limit": 1}),
    ]
    model = make_model("S A B", actions)
    assert directed(model, 'State "A", State "S", State "A"')[0] == []
    for seed in range(5):
        steps, _ = walk_through(model, Plan(seed=seed))
        assert Counter(step.action for step in steps) == {"jump": 1, "on": 1, "over": 1}
