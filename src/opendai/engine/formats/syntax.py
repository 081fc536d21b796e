"""JSON text into plain values, within bounds that keep hostile text from costing more than its length."""

import json
import math
import re
from itertools import accumulate
from typing import Any, NoReturn

LARGEST_TEXT = 8 * 1024 * 1024
DEEPEST = 100
LONGEST_NUMBER = 40

# The closing quote is optional. If it were not, the pattern would fail on an unclosed string and start again
# inside it, which is quadratic. The JSON parser refuses such text afterwards.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"?'
_STRINGS = re.compile(_STRING, re.DOTALL)
_TOKENS = re.compile(rf"{_STRING}|[\[{{]|[\]}}]", re.DOTALL)
_LEVELS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - set(_LEVELS))


class Unreadable(Exception):  # noqa: N818 - it is answered as a fault of the document
    """The text is no JSON that we accept; the argument says why."""


def load_json(text: str) -> Any:
    """The value that the text stands for; `Unreadable` for everything else, whatever the text is."""
    _check_size(text)
    _check_depth(text)
    try:
        return json.loads(text, parse_int=_integer, parse_float=_real, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error


def _check_size(text: str) -> None:
    try:
        size = len(text) if len(text) > LARGEST_TEXT else len(text.encode())
    except UnicodeEncodeError as error:
        raise Unreadable(f"character {error.start + 1} is half of a surrogate pair") from error
    if size > LARGEST_TEXT:
        raise Unreadable(f"it is larger than {LARGEST_TEXT} bytes")


def _check_depth(text: str) -> None:
    # A loop over all tokens takes longer than the parser, so it runs only if the text is too deep.
    brackets = _STRINGS.sub("", text).encode().translate(None, _NO_BRACKETS)
    if max(accumulate(map(_LEVELS.__getitem__, brackets)), default=0) > DEEPEST:
        raise Unreadable(f"it is nested more than {DEEPEST} deep at character {_first_too_deep(text) + 1}")


def _first_too_deep(text: str) -> int:
    """The index of the bracket that begins a level too many; the text is known to have one."""
    depth = 0
    for token in _TOKENS.finditer(text):
        depth += 0 if token[0].startswith('"') else _LEVELS[ord(token[0])]
        if depth > DEEPEST:
            return token.start()
    raise AssertionError("The text is not too deep.")


def _integer(digits: str) -> int:
    # Turning digits into a number takes time by the square of their count.
    if len(digits) > LONGEST_NUMBER:
        raise Unreadable(f"it holds a number of {len(digits)} digits")
    return int(digits)


def _real(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Unreadable(f"it holds a number that is too large: {digits[:LONGEST_NUMBER]}")
    return number


def _constant(name: str) -> NoReturn:
    raise Unreadable(f"it holds {name}, which is not JSON")
