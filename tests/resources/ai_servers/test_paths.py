"""The path to the text in an answer, by itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendai.errors import PreconditionFailed
from opendai.resources.ai_servers.paths import Step, parse_path, value_at


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("choices[0].message.content", ("choices", 0, "message", "content")),
        ("[42][1984]", (42, 1984)),
        ("can.also.look.like.this", ("can", "also", "look", "like", "this")),
        ("$.choices[0]", ("choices", 0)),
        ("$[1].a", (1, "a")),
        (".name", ("name",)),
        ("a-b._c.0", ("a-b", "_c", "0")),
        ("größe", ("größe",)),
        ("$", ()),
        ("", ()),
        ("a" * 200, ("a" * 200,)),
        (".".join("a" * 20), tuple("a" * 20)),
    ],
)
def test_a_path_is_its_names_and_indexes(text: str, steps: tuple[Step, ...]) -> None:
    assert parse_path(text) == steps


@pytest.mark.parametrize(
    "text",
    [
        "a.",
        "a..b",
        "a[",
        "a[]",
        "a[-1]",
        "a[1",
        "a]",
        "a[x]",
        "a['b']",
        "a[*]",
        "a[0:2]",
        "a[?(@.b==1)]",
        "$..a",
        "$a",
        "a.$",
        "a[0]b",
        "a b",
        " a",
        "a\n",
        "a[\uff11]",
        "a[1234567890]",
        "__import__('os')",
        "a" * 201,
        ".".join("a" * 21),
    ],
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must "):
        parse_path(text)


@given(st.text(max_size=210) | st.text("ab.[]$0-", max_size=30))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    try:
        steps = parse_path(text)
    except ValueError:
        return
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    assert parse_path(written) == steps


ANSWER = {"choices": [{"message": {"content": "text", "0": "zero"}}], "n": 1, "word": "ab"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("choices[0].message.content", "text"),
        ("choices[0].message.0", "zero"),
        ("n", 1),
        ("", ANSWER),
    ],
)
def test_the_value_at_a_path(path: str, value: Any) -> None:
    assert value_at(ANSWER, parse_path(path)) == value


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("choices[1].message", "choices[1]"),
        ("choices.message", "choices.message"),
        ("choices[0].message.text.more", "choices[0].message.text"),
        ("choices[0][0]", "choices[0][0]"),
        ("word[0]", "word[0]"),
        ("n.real", "n.real"),
        ("__class__", "__class__"),
        ("[0]", "[0]"),
    ],
)
def test_a_place_that_is_not_there_is_named(path: str, place: str) -> None:
    with pytest.raises(PreconditionFailed) as refusal:
        value_at(ANSWER, parse_path(path))
    assert refusal.value.message == f"The answer of the AI server has nothing at {place}."
