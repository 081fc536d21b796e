"""The test-case language: what is read, what is written, and what is refused where."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendai import engine
from opendai.engine import Goal, GoalKind, Model

STATE, ACTION = GoalKind.STATE, GoalKind.ACTION

NAMES = st.text(st.characters(codec="utf-8", exclude_characters='"\0'), min_size=1, max_size=20)
GOALS = st.lists(st.builds(Goal, st.sampled_from(GoalKind), NAMES), max_size=20).map(tuple)


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(engine.TestCaseError) as caught:
        engine.parse_test_case(text)
    (fault,) = caught.value.faults
    assert fault.problem in caught.value.message
    return fault.field, fault.problem


@given(goals=GOALS)
def test_what_is_written_is_read_back(goals: tuple[Goal, ...]) -> None:
    assert engine.parse_test_case(engine.write_test_case(goals)) == goals


@given(text=st.text(st.sampled_from('State "Action,\n x\u017f\0\ud800'), max_size=40) | st.text())
def test_any_text_is_a_test_case_or_refused(text: str) -> None:
    with suppress(engine.TestCaseError):
        goals = engine.parse_test_case(text)
        assert engine.parse_test_case(engine.write_test_case(goals)) == goals


def test_a_case_is_read_in_its_order() -> None:
    text = 'State "Sign In", Action "Register"'
    assert engine.parse_test_case(text) == (Goal(STATE, "Sign In"), Goal(ACTION, "Register"))


@pytest.mark.parametrize("text", ['state"A",ACTION "b"', ' State\n"A" ,\tAction\u00a0"b",\n'])
def test_case_and_space_do_not_matter(text: str) -> None:
    assert engine.parse_test_case(text) == (Goal(STATE, "A"), Goal(ACTION, "b"))


@pytest.mark.parametrize("text", ["", " \n"])
def test_blank_text_names_nothing(text: str) -> None:
    assert engine.parse_test_case(text) == ()


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ('Sate "A"', 0, 'at character 1, State or Action should stand, not "Sate"'),
        ('\u017ftate "A"', 0, 'at character 1, State or Action should stand, not "\u017ftate"'),
        ('State "A",, State "B"', 1, 'at character 11, State or Action should stand, not ","'),
        (', State "A"', 0, 'at character 1, State or Action should stand, not ","'),
        ('State "A" State "B"', 0, 'at character 11, a comma should stand, not "State"'),
        ('State "A"(x=1)', 0, 'at character 10, a comma should stand, not "("'),
        ("State", 0, "at character 6, a name in double quotes should follow"),
        ('State "A", State B', 1, "at character 18, a name in double quotes should follow"),
        ('State "A', 0, "at character 7, a name in double quotes should follow"),
        ('State ""', 0, "at character 7, the name is empty"),
        ('State "\ud800"', 0, "at character 8, half of a surrogate pair stands here"),
        ('State "\0"', 0, "at character 8, a NUL stands here"),
    ],
)
def test_a_mistake_is_refused_with_its_place(text: str, place: int, problem: str) -> None:
    assert refusal(text) == (f"testcase[{place}]", problem)


def test_a_long_text_is_refused_and_a_case_of_thousands_is_not() -> None:
    assert len(engine.parse_test_case('State"A",' * 7_000)) == 7_000
    assert refusal('State "' + "\u20ac" * 22_000 + '"') == ("testcase", "it is longer than 65536 bytes")


def test_a_name_with_a_quote_cannot_be_written() -> None:
    with pytest.raises(engine.TestCaseError, match="Item 2 cannot be written"):
        engine.write_test_case([Goal(STATE, "A"), Goal(STATE, 'say "hi"')])


def test_names_that_the_model_lacks_are_refused_with_the_nearest(webstore: Model) -> None:
    goals = engine.parse_test_case(
        'State "Home", State "basket", Action "Serch", State "Zzz", State "Search"'
    )
    with pytest.raises(engine.TestCaseError) as caught:
        engine.check_goals(webstore, goals)
    assert [(fault.field, fault.problem) for fault in caught.value.faults] == [
        ("testcase[1]", 'there is no state "basket"; did you mean "Basket"?'),
        ("testcase[2]", 'there is no action "Serch"; did you mean "Search"?'),
        ("testcase[3]", 'there is no state "Zzz"'),
        ("testcase[4]", 'there is no state "Search"; did you mean "Search Results"?'),
    ]
