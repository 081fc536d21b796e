"""Proposals that are read from the text of a language model, without a server."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendai.resources.ai_servers.proposals import ShapeError, read_drafts

CASE = {
    "name": "Log in",
    "description": "A customer logs in.",
    "prerequisites": "An account.",
    "testSteps": [{"index": 1, "action": "Open the page", "expectedResult": "It is there"}],
}
ANSWER = json.dumps({"testCases": [CASE]})
# Behind the opening braces, a trailing comma wherever JSON has a closing one.
WITH_COMMAS = ANSWER.replace("}]", "},\n ]").replace("]}", "],}")


def dumped(text: str) -> list[dict[str, Any]]:
    return [draft.model_dump() for draft in read_drafts(text)]


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        f"\ufeff {ANSWER}\n",
        f"```json\n{ANSWER}\n```",
        f"Here you are:\n```\n{ANSWER}\n```\nAnything else?",
        f"Of course! {ANSWER} I hope it helps {{really}}.",
        f"I use {{braces}} and {{}} first: {ANSWER}",
        f'<think>Perhaps {{"testCases": []}} ... no.</think>\n{ANSWER}',
        WITH_COMMAS,
        f"```json\n{WITH_COMMAS}\n```",
        json.dumps({"title": "x", "testCases": [CASE], "more": [1, None]}, indent=2),
    ],
)
def test_the_test_cases_are_found_in_what_stands_around(text: str) -> None:
    assert dumped(text) == [CASE]


def test_raw_line_ends_and_characters_that_nobody_can_store_are_taken() -> None:
    text = '{"testCases": [{"name": " a\tb ", "description": "one\ntwo\x00\\u0000\\ud800 \U0001f600"}]}'
    assert dumped(text) == [
        {
            "name": "a\tb",
            "description": "one\ntwo\ufffd\ufffd\ufffd \U0001f600",
            "prerequisites": "",
            "testSteps": [],
        }
    ]


def test_a_comma_inside_of_a_text_stays() -> None:
    text = '{"testCases": [{"name": "a,]", "description": "b, } \\", ]",},],}'
    draft = read_drafts(text)[0]
    assert (draft.name, draft.description) == ("a,]", 'b, } ", ]')


@pytest.mark.parametrize(
    ("indexes", "order"),
    [([2, 1], ["b", "a"]), ([1, 1], ["a", "b"]), ([None, 1], ["a", "b"]), (["7", "3"], ["b", "a"])],
)
def test_steps_are_in_the_order_that_they_say(indexes: list[Any], order: list[str]) -> None:
    steps = [{"index": index, "action": action} for index, action in zip(indexes, "ab", strict=True)]
    [draft] = read_drafts(json.dumps({"testCases": [{"name": "x", "testSteps": steps}]}))
    assert [(step.index, step.action) for step in draft.testSteps] == [(1, order[0]), (2, order[1])]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "The text holds no JSON object."),
        ("I cannot do that.", "The text holds no JSON object."),
        ("[1, 2]", "The text holds no JSON object."),
        ("{}", 'The JSON of the text has no "testCases".'),
        (json.dumps([CASE]), 'The JSON of the text has no "testCases".'),
        (ANSWER[:-4], "The JSON of the text is broken: Expecting"),
        (
            '\n{"testCases": [{"name": }]}',
            "The JSON of the text is broken: Expecting value at line 2, column 25.",
        ),
        ('{"testCases": ' + "[" * 100_000, "The JSON of the text is broken: it is nested too deeply"),
        ('{"testCases": ' + "9" * 5_000 + "}", "a number that is too long"),
        ('{"testCases": null}', "testCases: Input should be a valid list."),
        ('{"testCases": []}', "testCases: List should have at least 1 item"),
        (json.dumps({"testCases": [CASE] * 101}), "testCases: List should have at most 100 items"),
        ('{"testCases": [1]}', "testCases[0]: Input should be"),
        ('{"testCases": [{"description": "x"}]}', "testCases[0].name: Field required."),
        ('{"testCases": [{"name": "  "}]}', "testCases[0].name: String should have at least 1 character."),
        ('{"testCases": [{"name": 7}]}', "testCases[0].name: Input should be a valid string."),
        (json.dumps({"testCases": [CASE, {"name": "x" * 256}]}), "testCases[1].name: String should have"),
        (
            '{"testCases": [{"name": "x", "testSteps": [{"expectedResult": "y"}]}]}',
            "testCases[0].testSteps[0].action: Field required.",
        ),
        (
            json.dumps({"testCases": [{"name": "x", "testSteps": [{"action": "y" * 4_000}] * 16}]}),
            "testCases[0]: has more than 60000 characters.",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(ShapeError) as refusal:
        read_drafts(text)
    assert problem in str(refusal.value)
    assert len(str(refusal.value)) < 300


@given(
    st.text() | st.lists(st.sampled_from([*'{}[],:"\\ \n', '"testCases"', '"name"', "1", "a"])).map("".join)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    # Any other exception would be a fault of ours.
    with suppress(ShapeError):
        assert read_drafts(text)
