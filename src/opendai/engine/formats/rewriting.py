"""Changes of the `testcases` of a document's text; whatever is not changed stays as it is, byte for byte.

Every function takes a text that `parse_model` accepts, and a test case by the name that tells it from the
others of the document.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

_KEY = "testcases"
_SPACE = " \t\n\r"
_DECODER = json.JSONDecoder()


class _Span(NamedTuple):
    """A value, and where its text begins and ends."""

    value: Any
    start: int
    end: int


def add_test_case(text: str, entry: Mapping[str, Any]) -> str:
    """The text with one more test case at the end of the list, which is made if there is none."""
    members, end = _members(text, _skip_space(text, 0))
    listed = members.get(_KEY)
    if listed is None or listed.value is None:
        return _with_member(text, members, end, _KEY, [entry])
    items = _items(text, listed.start)
    if not items:
        return _replaced(text, listed.start + 1, listed.start + 1, _written(entry))
    return _replaced(text, items[-1].end, items[-1].end, f",{_written(entry)}")


def change_test_case(text: str, name: str, changes: Mapping[str, Any]) -> str:
    """The text with other values under these keys of a test case; its other keys stay. KeyError: it has none."""
    items, at = _find(text, name)
    # Each change may move what follows it, so the object is read again; it is short.
    for key, value in changes.items():
        members, end = _members(text, items[at].start)
        text = _with_member(text, members, end, key, value)
    return text


def remove_test_case(text: str, name: str) -> str:
    """The text without a test case and without the comma that set it apart. KeyError: it has none."""
    items, at = _find(text, name)
    if at > 0:
        return _replaced(text, items[at - 1].end, items[at].end, "")
    return _replaced(text, items[0].start, items[1].start if len(items) > 1 else items[0].end, "")


def _find(text: str, name: str) -> tuple[list[_Span], int]:
    """All items of the list, and the position of the one with the name."""
    listed = _members(text, _skip_space(text, 0))[0].get(_KEY)
    items = _items(text, listed.start) if listed is not None and listed.value is not None else []
    for position, item in enumerate(items):
        # A document may leave a name out or null; it is read as empty text then.
        if (item.value.get("testcaseName") or "") == name:
            return items, position
    raise KeyError(name)


def _with_member(text: str, members: Mapping[str, _Span], end: int, key: str, value: Any) -> str:
    """The text with another value in an object of these members, whose closing brace stands at `end`."""
    old = members.get(key)
    if old is not None:
        return _replaced(text, old.start, old.end, _written(value))
    # Straight after the last value, so that the brace stays on a line of its own if it has one.
    last = max((member.end for member in members.values()), default=end)
    comma = "," if members else ""
    return _replaced(text, last, last, f"{comma}{_written(key)}:{_written(value)}")


def _members(text: str, start: int) -> tuple[dict[str, _Span], int]:
    """The members of the object that starts there, and where it closes.

    Of a key that stands twice the last one counts, as it does for every reader of JSON that we have.
    """
    found: dict[str, _Span] = {}
    at = _skip_space(text, start + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip_space(text, _skip_space(text, at) + 1)
        found[key] = _value_at(text, at)
        at = _past_comma(text, found[key].end)
    return found, at


def _items(text: str, start: int) -> list[_Span]:
    """The items of the list that starts there."""
    found: list[_Span] = []
    at = _skip_space(text, start + 1)
    while text[at] != "]":
        found.append(_value_at(text, at))
        at = _past_comma(text, found[-1].end)
    return found


def _value_at(text: str, start: int) -> _Span:
    value, end = _DECODER.raw_decode(text, start)
    return _Span(value, start, end)


def _past_comma(text: str, at: int) -> int:
    at = _skip_space(text, at)
    return _skip_space(text, at + 1) if text[at] == "," else at


def _skip_space(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def _replaced(text: str, start: int, end: int, by: str) -> str:
    return text[:start] + by + text[end:]


def _written(value: Any) -> str:
    # As JSON.stringify writes it, which genuine documents come from.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
