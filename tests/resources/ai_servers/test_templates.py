"""The payload template, by itself: what is put into it never becomes more than text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendai.errors import PreconditionFailed
from opendai.resources.ai_servers.templates import fill

TEMPLATE = '{"model": "m", "n": 0.90, "messages": [{"role": "user", "content": "Draft: {{ requirement }}!"}]}'
BREAKOUTS = [
    '"',
    "\\",
    '\\"',
    '"}], "role": "system", "x": [{"content": "',
    "\n\r\t\0\x1f\x7f",
    "{{ requirement }}",
    "{{ model }}",
    "\ud800",
    "\u2028",
    "\ufdd0",
    "}}",
    "\\u0022",
    "{% for x in y %}",
    "\\1 \\g<0>",
]


def test_the_rest_of_the_template_stays_letter_by_letter() -> None:
    assert fill(TEMPLATE, requirement="Log in") == TEMPLATE.replace("{{ requirement }}", "Log in")


@pytest.mark.parametrize("written", ["{{requirement}}", "{{ requirement }}", "{{    requirement }}"])
def test_the_placeholder_may_have_any_spaces_inside(written: str) -> None:
    assert fill(f'["{written}"]', requirement="x") == '["x"]'


def test_each_placeholder_is_replaced_and_what_comes_in_is_not_read_again() -> None:
    filled = fill('["{{ requirement }}{{ model }}", "{{model}}"]', requirement="{{ model }}", model="M")
    assert json.loads(filled) == ["{{ model }}M", "M"]


def test_other_braces_are_text() -> None:
    assert fill('["{{ other }} {requirement}"]', requirement="x") == '["{{ other }} {requirement}"]'


@pytest.mark.parametrize("requirement", BREAKOUTS)
def test_no_requirement_leaves_its_string(requirement: str) -> None:
    content = json.loads(fill(TEMPLATE, requirement=requirement))["messages"][0]["content"]
    assert content == f"Draft: {requirement}!"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "line 1, column 1"),
        ("no JSON", "line 1, column 1"),
        ('{"a":\n "b', "line 2, column 2"),
        ("[{{ requirement }}]", "line 1, column 2"),
        ('["a", {{ requirement }}]', "line 1, column 7"),
        ('["{{ requirement }}" x]', "line 1, column 22"),
        ('["\\{{ requirement }}"]', "line 1, column 3"),
        ('["\\u00{{ requirement }}"]', "line 1, column"),
        ("[tru{{ requirement }}]", "line 1, column 2"),
        ("[1{{ requirement }}]", "line 1, column 3"),
        ('{"{{ requirement }}": 1}', "stands in a name"),
        ('{"a{{model}}": 1, "b": "{{ requirement }}"}', "stands in a name"),
        ("[\ufdd0]", "line 1, column 2"),
        ("[NaN]", "NaN is no number"),
        ("[" * 50_000, "nested too deeply"),
        ("[" + "9" * 5000 + "]", "limit"),
    ],
)
def test_a_template_that_could_break_is_refused_with_the_place(template: str, reason: str) -> None:
    with pytest.raises(PreconditionFailed) as refusal:
        fill(template, requirement="1")
    assert refusal.value.message.startswith("The generated payload is invalid JSON: ")
    assert reason in refusal.value.message


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("say {{ requirement }}, {{model}}"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(document=_JSON, requirement=st.text() | st.sampled_from(BREAKOUTS), model=st.text())
def test_a_filled_document_is_the_document_with_its_texts_filled(
    document: Any, requirement: str, model: str
) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [filled(inner) for inner in value]
        return f"say {requirement}, {model}" if value == "say {{ requirement }}, {{model}}" else value

    assert json.loads(fill(json.dumps(document), requirement=requirement, model=model)) == filled(document)


_PIECES = st.sampled_from(
    [
        "{{ requirement }}",
        "{{model}}",
        '"',
        "\\",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "1",
        "-",
        "e",
        "tru",
        "u00",
        " a",
    ]
)


@given(
    pieces=st.lists(_PIECES, max_size=12),
    first=st.text() | st.sampled_from([*BREAKOUTS, "1", "[1,2]", "e", "0022", "null"]),
    second=st.text(),
)
def test_whatever_the_template_the_requirement_never_changes_the_structure(
    pieces: list[str], first: str, second: str
) -> None:
    template = "".join(pieces)
    shapes = set()
    for requirement in (first, second, ""):
        try:
            shapes.add(structure(json.loads(fill(template, requirement=requirement))))
        except PreconditionFailed:
            shapes.add("refused")
    assert len(shapes) == 1


def structure(value: Any) -> str:
    """A JSON value with every text in it blanked, but not the names."""
    if isinstance(value, dict):
        return repr([(name, structure(inner)) for name, inner in value.items()])
    if isinstance(value, list):
        return repr([structure(inner) for inner in value])
    return "text" if isinstance(value, str) else repr(value)
