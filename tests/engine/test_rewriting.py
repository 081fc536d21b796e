"""Changing the list of test cases in a document's text without touching the rest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendai import engine
from opendai.engine.formats.rewriting import add_test_case, change_test_case, remove_test_case

PRETTY = """{
  "elements" : [ ] ,
  "testcases" : [
    { "testcaseName" : "A" , "testcase" : "" , "color" : "\\u00e9\\ud800" } ,
    { "testcase":"", "testcaseName":"B", "weight":1.50 }
  ] ,
  "version" : "4.0.1"
}
"""
NEW = {"testcaseName": "Größe", "testcase": 'State "S"'}


def test_adding_appends_to_the_list_and_leaves_the_rest() -> None:
    before, after = PRETTY.split("1.50 }")
    added = '{"testcaseName":"Größe","testcase":"State \\"S\\""}'
    assert add_test_case(PRETTY, NEW) == f"{before}1.50 }},{added}{after}"


def test_changing_replaces_values_and_adds_missing_ones() -> None:
    changed = change_test_case(PRETTY, "A", {"testcaseName": "C", "testcaseTags": "x"})
    assert changed == PRETTY.replace('"A"', '"C"').replace('\\ud800" }', '\\ud800","testcaseTags":"x" }')


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ('{"testcases": [ {"testcaseName":"A"} , {"testcaseName":"B"} ]}', "A", '[ {"testcaseName":"B"} ]'),
        ('{"testcases": [ {"testcaseName":"A"} , {"testcaseName":"B"} ]}', "B", '[ {"testcaseName":"A"} ]'),
        ('{"testcases": [ {"testcaseName":"A"} ]}', "A", "[  ]"),
        ('{"testcases": [{"testcaseName":null},{"testcaseName":"A"}]}', "", '[{"testcaseName":"A"}]'),
    ],
)
def test_removing_takes_one_comma_along(text: str, name: str, expected: str) -> None:
    assert remove_test_case(text, name) == f'{{"testcases": {expected}}}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", '{"testcases":[{"id":1}]}'),
        ('{\n  "a": 1\n}\n', '{\n  "a": 1,"testcases":[{"id":1}]\n}\n'),
        ('{"testcases": null, "a": 1}', '{"testcases": [{"id":1}], "a": 1}'),
        ('{"testcases": [ ]}', '{"testcases": [{"id":1} ]}'),
    ],
)
def test_a_document_without_the_list_gets_one(text: str, expected: str) -> None:
    assert add_test_case(text, {"id": 1}) == expected


def test_of_a_list_that_stands_twice_the_last_one_counts() -> None:
    text = '{"testcases":[{"testcaseName":"A"}],"testcases":[{"testcaseName":"A","testcaseName":"B"}]}'
    assert remove_test_case(text, "B") == '{"testcases":[{"testcaseName":"A"}],"testcases":[]}'
    assert change_test_case(text, "B", {"testcaseName": "C"}) == text.replace('"B"', '"C"')
    with pytest.raises(KeyError):
        remove_test_case(text, "A")


@pytest.mark.parametrize("text", ["{}", '{"testcases":null}', '{"testcases":[]}', PRETTY])
def test_a_name_that_no_entry_has_is_a_key_error(text: str) -> None:
    with pytest.raises(KeyError):
        change_test_case(text, "Z", {"testcase": ""})


def test_a_genuine_document_stays_a_model(samples: dict[str, str]) -> None:
    for text in samples.values():
        first = engine.parse_model(text).test_cases[0]
        edited = remove_test_case(
            change_test_case(add_test_case(text, NEW), first.name, {"testcase": ""}), "Größe"
        )
        unchanged = change_test_case(edited, first.name, {"testcase": first.text})
        assert unchanged == text


_names = st.text(st.characters(codec="utf-8"), max_size=4)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=6,
)
_entries = st.lists(
    st.fixed_dictionaries({"testcaseName": _names}, optional={"testcase": _names, "other": _values}),
    max_size=4,
    unique_by=lambda entry: str(entry["testcaseName"]),
)


@given(
    before=st.dictionaries(_names, _values, max_size=3),
    entries=_entries,
    after=st.dictionaries(_names.map(lambda name: f"{name}!"), _values, max_size=3),
    indent=st.sampled_from([None, 0, 2, "\t"]),
    is_ascii=st.booleans(),
    data=st.data(),
)
def test_every_edit_means_what_it_says_and_touches_nothing_else(
    before: dict[str, Any],
    entries: list[dict[str, Any]],
    after: dict[str, Any],
    indent: int | str | None,
    is_ascii: bool,
    data: st.DataObject,
) -> None:
    document = {**before, "testcases": entries, **after}
    text = json.dumps(document, indent=indent, ensure_ascii=is_ascii)
    edited, wanted = add_test_case(text, NEW), [*entries, NEW]
    if entries:
        chosen = data.draw(st.sampled_from(entries))
        if data.draw(st.booleans()):
            edited = change_test_case(text, chosen["testcaseName"], {"testcase": "t", "x": "y"})
            wanted = [{**e, "testcase": "t", "x": "y"} if e is chosen else e for e in entries]
        else:
            edited = remove_test_case(text, chosen["testcaseName"])
            wanted = [entry for entry in entries if entry is not chosen]
    assert json.loads(edited) == {**document, "testcases": wanted}
    marked = json.dumps({**before, "testcases": "THE LIST", **after}, indent=indent, ensure_ascii=is_ascii)
    head, tail = marked.rsplit('"THE LIST"', 1)
    assert edited.startswith(head + "[")
    assert edited.endswith("]" + tail)
