"""States, actions and test cases that a model makes impossible."""

from opendai import engine
from opendai.engine import ActionKind, Model, StateKind

from .walking import make_model


def test_a_sound_model_has_nothing_out_of_reach(webstore: Model) -> None:
    assert engine.feasibility(webstore) == engine.Feasibility((), (), (), ())


def test_a_model_without_a_way_to_exit_says_so(petclinic: Model) -> None:
    found = engine.feasibility(petclinic)
    assert (found.unreachable, found.dead_ends, len(found.cannot_exit)) == ((), (), 12)


def test_what_is_out_of_reach_and_what_has_no_way_out_is_named() -> None:
    states = dict.fromkeys("SABU", StateKind.NORMAL) | {"S": StateKind.START, "E": StateKind.EXIT}
    model = make_model(
        states,
        [
            ("go", "S", "A"),
            ("trap", "S", "B"),
            ("stay", "B", None),
            ("leave", "A", "E"),
            ("lost", "U", "A"),
            ("undo", "S", None, {"kind": ActionKind.PREVIOUS}),
        ],
    )
    found = engine.feasibility(model)
    assert found == engine.Feasibility(
        unreachable_states=("U",),
        unreachable_actions=(("U", "lost"), ("S", "undo")),
        dead_ends=("B",),
        cannot_exit=("B",),
    )
    assert found.unreachable == ('State "U"', 'Action "lost"', 'Action "undo"')


def test_a_global_action_that_no_state_offers_is_out_of_reach() -> None:
    model = make_model("S", [("look", None, None)], allow_global_actions_in_start=False)
    assert engine.feasibility(model).unreachable_actions == (("", "look"),)


def test_going_back_is_a_way_out() -> None:
    model = make_model("S A", [("go", "S", "A"), ("back", "A", None, {"kind": ActionKind.PREVIOUS})])
    assert engine.feasibility(model).dead_ends == ()
    # Back in S the state before is A, but S has no action that goes there.
    assert [transition.pair for transition in model.transitions] == [("S", "go"), ("A", "back")]
