"""The phases around the walk proper: arrival snippets, Exception, Cleanup, abort."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from opendai import engine
from opendai.engine import Action, Model, Outcome, Plan, Snippet, State, StateKind, Step

from .walking import walk_through

SCRIPT = {
    name: (Snippet(f"M.script:{name}", name),) for name in ("start", "home", "error", "cleanup", "go", "fix")
}


def make(
    *, is_silent: bool = False, cleans_up_after_abort: bool = False, with_snippets: bool = True
) -> Model:
    """Start goes Home; Error has two actions of which the second stays; Cleanup has one."""
    states = [
        State(1, "Initial", StateKind.START, SCRIPT["start"]),
        State(2, "Home", StateKind.NORMAL, SCRIPT["home"]),
        State(3, "Error", StateKind.EXCEPTION, SCRIPT["error"]),
        State(4, "Cleanup", StateKind.CLEANUP, SCRIPT["cleanup"]),
        State(5, "Worse", StateKind.EXCEPTION),
    ]
    actions = [
        Action(10, "go", owner=1, target=2, snippets=SCRIPT["go"]),
        Action(11, "fix", owner=3, snippets=SCRIPT["fix"]),
        Action(12, "look deeper", owner=3, target=5),
        Action(13, "note", owner=5),
        Action(14, "close", owner=4),
    ]
    if not with_snippets:
        states = [replace(state, snippets=()) for state in states]
    return engine.build_model(
        name="M",
        states=states,
        actions=actions,
        all_snippets_disabled=is_silent,
        run_cleanup_after_abort=cleans_up_after_abort,
    )


def told(steps: list[Step]) -> list[tuple[int, str, str, str, str]]:
    return [(step.order, step.phase, step.state, step.action, step.target) for step in steps]


def failing(*actions: str) -> Callable[[Step], bool]:
    return lambda step: step.action in actions


def test_a_clean_run_ends_with_cleanup() -> None:
    steps, walk = walk_through(make(), Plan())
    assert told(steps) == [
        (1, "walk", "Initial", "", "Initial"),
        (2, "walk", "Initial", "go", "Home"),
        (3, "cleanup", "Cleanup", "", "Cleanup"),
        (4, "cleanup", "Cleanup", "close", "Cleanup"),
    ]
    assert [step.snippets for step in steps] == [
        SCRIPT["start"],
        SCRIPT["go"] + SCRIPT["home"],
        SCRIPT["cleanup"],
        SCRIPT["cleanup"],
    ]
    assert walk.conclusion == engine.Conclusion("PASSED", "every reachable state and action was covered")


def test_states_without_snippets_are_entered_without_a_step() -> None:
    steps, _ = walk_through(make(with_snippets=False), Plan())
    assert [step.action for step in steps] == ["go", "close"]


def test_a_model_whose_snippets_are_disabled_runs_none() -> None:
    steps, _ = walk_through(make(is_silent=True), Plan())
    assert [(step.action, step.snippets) for step in steps] == [("go", ()), ("close", ())]


def test_a_failed_step_leads_through_exception_and_cleanup() -> None:
    steps, walk = walk_through(make(), Plan(), fails=failing("go"))
    assert told(steps)[2:] == [
        (3, "exception", "Error", "", "Error"),
        (4, "exception", "Error", "fix", "Error"),
        (5, "exception", "Error", "look deeper", "Worse"),
        (6, "exception", "Worse", "note", "Worse"),
        (7, "cleanup", "Cleanup", "", "Cleanup"),
        (8, "cleanup", "Cleanup", "close", "Cleanup"),
    ]
    assert walk.conclusion == engine.Conclusion(
        "FAILED", 'the action "go" failed in the state "Initial"', (), "Initial", "go"
    )
    # A transition that was tried is covered.
    assert walk.coverage == 1


def test_a_failure_is_handled_where_no_state_has_snippets() -> None:
    steps, _ = walk_through(make(with_snippets=False), Plan(), fails=failing("go"))
    assert [step.action for step in steps] == ["go", "fix", "look deeper", "note", "close"]


def test_a_second_failure_ends_only_its_phase() -> None:
    steps, walk = walk_through(make(with_snippets=False), Plan(), fails=failing("go", "fix"))
    assert [step.action for step in steps] == ["go", "fix", "close"]
    assert walk.conclusion is not None
    assert (walk.conclusion.failed_state, walk.conclusion.failed_action) == ("Initial", "go")


def test_a_failure_in_cleanup_fails_a_run_that_had_passed() -> None:
    _, walk = walk_through(make(), Plan(), fails=failing("close"))
    assert walk.conclusion == engine.Conclusion(
        "FAILED", 'the action "close" failed in the state "Cleanup"', (), "Cleanup", "close"
    )


def test_a_start_state_may_fail_to_be_entered() -> None:
    steps, walk = walk_through(make(), Plan(), fails=lambda step: step.order == 1)
    assert [step.phase for step in steps] == ["walk", *["exception"] * 4, *["cleanup"] * 2]
    assert walk.conclusion == engine.Conclusion(
        "FAILED", 'the snippets failed of the state "Initial"', (), "Initial", ""
    )


def test_a_walk_that_does_nothing_cleans_nothing_up() -> None:
    steps, walk = walk_through(make(), Plan(kind="directed", test_case='State "Initial"'))
    assert steps == []
    assert walk.conclusion == engine.Conclusion("PASSED", "the test case was visited to its end")


@pytest.mark.parametrize("is_recorded", [True, False])
def test_an_aborted_run_is_over_at_once(*, is_recorded: bool) -> None:
    walk = engine.start_walk(make(), Plan())
    walk.next_step()
    if is_recorded:
        walk.record(Outcome.PASSED)
    walk.abort()
    assert walk.conclusion == engine.Conclusion("CANCELLED", "the run was aborted")
    assert walk.next_step() is None
    walk.abort()
    assert walk.conclusion == engine.Conclusion("CANCELLED", "the run was aborted")


def test_an_aborted_run_cleans_up_if_the_model_says_so() -> None:
    walk = engine.start_walk(make(cleans_up_after_abort=True), Plan())
    walk.next_step()
    walk.record(Outcome.FAILED)
    walk.next_step()
    walk.abort()
    steps = []
    while (step := walk.next_step()) is not None:
        steps.append(step)
        walk.record(Outcome.PASSED)
        walk.abort()
    assert told(steps) == [
        (3, "cleanup", "Cleanup", "", "Cleanup"),
        (4, "cleanup", "Cleanup", "close", "Cleanup"),
    ]
    assert walk.conclusion == engine.Conclusion("CANCELLED", "the run was aborted", (), "Initial", "")


def test_a_run_aborted_before_its_first_step_cleans_nothing_up() -> None:
    walk = engine.start_walk(make(cleans_up_after_abort=True), Plan())
    walk.abort()
    assert walk.next_step() is None
    assert walk.conclusion == engine.Conclusion("CANCELLED", "the run was aborted")


def test_a_step_is_the_same_until_its_outcome_is_recorded() -> None:
    walk = engine.start_walk(make(), Plan())
    with pytest.raises(RuntimeError):
        walk.record(Outcome.PASSED)
    assert walk.next_step() is walk.next_step()
    walk.record(Outcome.PASSED)
    with pytest.raises(RuntimeError):
        walk.record(Outcome.PASSED)


@pytest.mark.parametrize(
    ("target", "phases"), [(3, ["walk", *["exception"] * 3, "cleanup"]), (4, ["walk", "cleanup"])]
)
def test_an_action_may_lead_to_exception_or_cleanup_by_design(target: int, phases: list[str]) -> None:
    model = make(with_snippets=False)
    actions = [replace(action, target=target) if action.name == "go" else action for action in model.actions]
    steps, walk = walk_through(engine.build_model(name="M", states=model.states, actions=actions), Plan())
    assert [step.phase for step in steps] == phases
    assert walk.conclusion is not None
    assert walk.conclusion.status == "PASSED"
