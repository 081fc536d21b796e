"""JSON text into plain values, within bounds that keep hostile text from costing more than its length."""

import json
import math
import re
from typing import Any, NoReturn

LARGEST_TEXT = 8 * 1024 * 1024
DEEPEST = 100
LONGEST_NUMBER = 40

# The closing quote is optional, so that the pattern never gives up on a string and starts again inside it,
# which would make the scan quadratic; the JSON parser refuses such text afterwards.
_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


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
    depth = 0
    for match in _BRACKETS.finditer(text):
        token = match.group()
        if token in {"[", "{"}:
            depth += 1
            if depth > DEEPEST:
                raise Unreadable(f"it is nested more than {DEEPEST} deep at character {match.start() + 1}")
        elif token in {"]", "}"}:
            depth -= 1


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
