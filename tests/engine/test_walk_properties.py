"""Properties of every walk of every model, against searches that look at everything."""

from hypothesis import given, settings
from hypothesis import strategies as st

from opendai import engine
from opendai.engine import Goal, GoalKind, Model, Plan

from .walking import assert_walkable, fewest_steps, models, most_coverage, pairs, walk_through

QUICK = settings(max_examples=150, deadline=None)


@QUICK
@given(model=models(), kind=st.sampled_from(["random", "exploratory"]), data=st.data())
def test_a_walk_takes_only_what_is_available_and_ends(model: Model, kind: str, data: st.DataObject) -> None:
    hits = {transition.pair: data.draw(st.integers(-1, 4)) for transition in model.transitions}
    steps, walk = walk_through(model, Plan(kind=kind, seed=len(hits), step_limit=60), hits)
    assert_walkable(model, steps)
    assert len(steps) <= 60
    assert all(transition.weight > 0 for transition in _taken(model, steps))
    assert walk.conclusion is not None
    assert walk.conclusion.status == ("PASSED" if steps else "ERROR")
    assert walk.next_step() is None


@QUICK
@given(model=models(), seed=st.integers(0, 5))
def test_a_walk_reports_the_coverage_that_its_steps_have(model: Model, seed: int) -> None:
    steps, walk = walk_through(model, Plan(seed=seed))
    assert walk.coverage == engine.run_coverage(model, pairs(steps))
    items = engine.covered_items(model, pairs(steps))
    assert items <= engine.coverage_items(model)
    assert walk.coverage == len(items) / len(engine.coverage_items(model))


@QUICK
@given(model=models(), seed=st.integers(0, 5))
def test_the_same_seed_makes_the_same_walk(model: Model, seed: int) -> None:
    plan = Plan(kind="random", seed=seed, step_limit=40)
    assert walk_through(model, plan)[0] == walk_through(model, plan)[0]


@QUICK
@given(model=models(most_actions=6, is_plain=True, has_exit=False), seed=st.integers(0, 5))
def test_exploring_covers_as_much_as_any_run_can(model: Model, seed: int) -> None:
    _, walk = walk_through(model, Plan(seed=seed))
    assert walk.coverage == most_coverage(model)


@QUICK
@given(model=models(), seed=st.integers(0, 5))
def test_exploring_ends_only_when_nothing_but_another_exit_is_left_in_reach(model: Model, seed: int) -> None:
    steps, _ = walk_through(model, Plan(seed=seed))
    if not steps or steps[-1].target == "Exit":
        return
    taken = pairs(steps)
    offered = {
        action.name
        for state in model.states
        if state.name == steps[-1].target
        for action in model.actions_in(state)
        if action.weight > 0 and not action.call_limit and action.kind == "Normal"
    }
    assert {(steps[-1].target, name) for name in offered} <= set(taken)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), model=models())
def test_a_test_case_is_visited_in_the_fewest_steps_or_proved_impossible(
    data: st.DataObject, model: Model
) -> None:
    goals = [Goal(GoalKind.STATE, state.name) for state in model.states]
    goals += [Goal(GoalKind.ACTION, action.name) for action in model.actions]
    case = tuple(data.draw(st.lists(st.sampled_from(goals), min_size=1, max_size=5)))
    steps, walk = walk_through(model, Plan(kind="directed", test_case=engine.write_test_case(case)))
    assert_walkable(model, steps)
    assert walk.conclusion is not None
    fewest = fewest_steps(model, case)
    if fewest is None:
        assert (walk.conclusion.status, steps) == ("ERROR", [])
        assert set(walk.conclusion.unreachable) <= {f'{goal.kind} "{goal.name}"' for goal in case}
        assert walk.conclusion.unreachable
    else:
        assert (walk.conclusion.status, len(steps)) == ("PASSED", fewest)


def _taken(model: Model, steps: list[engine.Step]) -> list[engine.Action]:
    taken = set(pairs(steps))
    return [transition.action for transition in model.transitions if transition.pair in taken]
