"""Prose about a model: the states and actions in its sentences, and the outline that such prose is written from."""

import pytest

from opendai.engine import Action, Goal, GoalKind, Model, Names, State, StateKind, build_model, outline


def made(*actions: tuple[str, int | None, int | None], states: tuple[str, ...] = ()) -> Model:
    kinds = [StateKind.START, *[StateKind.NORMAL] * len(states)]
    return build_model(
        name="Shop",
        states=[
            State(number, name, kind)
            for number, (name, kind) in enumerate(zip(("Initial", *states), kinds, strict=False))
        ],
        actions=[
            Action(number, name, owner=owner, target=target)
            for number, (name, owner, target) in enumerate(actions, 100)
        ],
    )


SHOP = made(
    ("Open", 0, 1),
    ("Pay", 1, 2),
    ("Pay by card", 1, 2),
    ("Go", 1, None),
    ('Say "hi"', 1, None),
    ("Never", 3, 1),
    states=("Basket", "Paid", "Nowhere"),
)


def written(goals: list[Goal]) -> list[str]:
    return [f"{goal.kind} {goal.name}" for goal in goals]


@pytest.mark.parametrize(
    ("sentence", "named"),
    [
        ("Open", ["Action Open"]),
        (' "open". ', ["Action Open"]),
        ("Take the action 'pay by CARD' now.", ["Action Pay by card"]),
        ("First `Open`, then \u201cpay\u201d!", ["Action Open", "Action Pay"]),
        ("Then Pay by card and Open it again", ["Action Pay by card", "Action Open"]),
        ("We pay by card.", []),
        ("Payment is Opened.", []),
        ("Go to the shop", []),
        ("Go", ["Action Go"]),
        ("Look at the Basket", ["State Basket"]),
        ("Open the Basket", ["Action Open"]),
        ('Say "hi"', []),
        ("Never", []),
        ("", []),
        ("'", []),
    ],
)
def test_a_sentence_names_actions_or_else_states(sentence: str, named: list[str]) -> None:
    assert written(Names(SHOP).in_action(sentence)) == named


@pytest.mark.parametrize(
    ("sentence", "named"),
    [
        ("The basket is shown", []),
        ('The "basket" is shown', ["State Basket"]),
        ("Paid, no longer Basket", ["State Paid", "State Basket"]),
        ("Open", []),
        ("Nowhere", []),
    ],
)
def test_a_result_names_states_that_can_be_reached(sentence: str, named: list[str]) -> None:
    assert written(Names(SHOP).in_result(sentence)) == named


def test_a_model_without_actions_names_its_start() -> None:
    names = Names(made())
    assert names.in_action("Initial") == [Goal(GoalKind.STATE, "Initial")]
    assert names.in_action("Open") == []


def test_the_outline_names_what_can_be_reached() -> None:
    assert outline(SHOP, longest=1_000) == (
        "Model: Shop\n"
        'State "Initial" (the walk starts here)\n'
        '  Action "Open" -> State "Basket"\n'
        'State "Basket"\n'
        '  Action "Pay" -> State "Paid"\n'
        '  Action "Pay by card" -> State "Paid"\n'
        '  Action "Go"\n'
        '  Action "Say "hi""\n'
        'State "Paid"'
    )


def test_a_long_outline_is_cut_off_at_a_line_and_says_so() -> None:
    large = made(*((f"Action {number}", 0, None) for number in range(5_000)))
    text = outline(large, longest=20_000)
    assert 19_900 < len(text) <= 20_000
    *lines, last = text.split("\n")
    assert last == "(The description was cut off here: the model is larger than this.)"
    assert all(line.startswith('  Action "Action ') and line.endswith('"') for line in lines[2:])
