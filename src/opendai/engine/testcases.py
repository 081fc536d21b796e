"""The test-case language: `State "Basket", Action "Pay by card"`, the things to visit in this order.

Parameter values, which the DAI documentation mentions after an action, have no published form and are
refused.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from opendai.engine.formats.readers import Faults, shown
from opendai.engine.model.elements import Model
from opendai.errors import Fault, Invalid

# In bytes; it leaves room for some 7,000 items.
LARGEST_TEXT = 64 * 1024

_TOKEN = re.compile(r'(?P<space>\s+)|(?P<word>\w+)|"(?P<name>[^"]*)"|(?P<comma>,)')
# Finding the nearest name takes time by the length of both, so only names that people write are compared.
_LONGEST_COMPARED = 100
_MOST_COMPARED = 2_000


class TestCaseError(Invalid):
    """The text is no test case, or none for this model; `faults` name the items, counted from 0."""


class GoalKind(StrEnum):
    STATE = "State"
    ACTION = "Action"


@dataclass(frozen=True, slots=True)
class Goal:
    """A state to be in, or an action to take in whatever state offers it."""

    kind: GoalKind
    name: str


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


def parse_test_case(text: str) -> tuple[Goal, ...]:
    """The goals in their order, none for blank text; `TestCaseError` says where the text goes wrong."""
    _check_text(text)
    tokens = _tokens(text)
    goals: list[Goal] = []
    # An item is three tokens: its keyword, its name, and the comma that only the last may lack.
    for first in range(0, len(tokens), 3):
        end = _Token("end", "", len(text))
        goals.append(_read_goal(len(goals), [*tokens[first : first + 3], end, end]))
    return tuple(goals)


def write_test_case(goals: Iterable[Goal]) -> str:
    """The text that `parse_test_case` reads back as these goals; `TestCaseError` for a name without one."""
    items = []
    for index, goal in enumerate(goals):
        if not goal.name or '"' in goal.name:
            problem = f"the name {shown(goal.name)} is empty or holds a double quote"
            raise TestCaseError(
                f"Item {index + 1} cannot be written: {problem}.",
                faults=[Fault(f"testcase[{index}]", problem)],
            )
        items.append(f'{goal.kind} "{goal.name}"')
    return ", ".join(items)


def check_goals(model: Model, goals: Iterable[Goal]) -> None:
    """Refuse goals that the model has no state or action for, with the nearest name that it has."""
    known = {
        GoalKind.STATE: {state.name: None for state in model.states},
        GoalKind.ACTION: {action.name: None for action in model.actions},
    }
    faults = Faults()
    for index, goal in enumerate(goals):
        if goal.name not in known[goal.kind]:
            # Past the faults that are kept, the search for the nearest name would be wasted.
            nearest = _nearest(goal.name, known[goal.kind]) if len(faults.found) == faults.count else None
            hint = f"; did you mean {shown(nearest)}?" if nearest else ""
            faults.add(f"testcase[{index}]", f"there is no {goal.kind.lower()} {shown(goal.name)}{hint}")
    if faults.count:
        problem = faults.found[0].problem
        more = f" ({faults.count - 1} more)" if faults.count > 1 else ""
        end = "" if problem.endswith("?") and not more else "."
        raise TestCaseError(
            f"The test case does not fit the model: {problem}{more}{end}", faults=faults.found
        )


def _tokens(text: str) -> list[_Token]:
    """The tokens of the text up to the first character that has no meaning, without the space between."""
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return [*found, _Token("other", text[at], at)]
        kind = match.lastgroup or "other"
        if kind != "space":
            found.append(_Token(kind, match[kind], at))
        at = match.end()
    return found


def _read_goal(item: int, tokens: list[_Token]) -> Goal:
    word, name, comma = tokens[:3]
    # Only ASCII letters: other alphabets have characters whose other case is one of these.
    keyword = word.text.capitalize() if word.text.isascii() else word.text
    if word.kind != "word" or keyword not in set(GoalKind):
        raise _syntax_error(item, word.start, f"State or Action should stand, not {shown(word.text)}")
    if name.kind != "name":
        raise _syntax_error(item, name.start, "a name in double quotes should follow")
    if not name.text:
        raise _syntax_error(item, name.start, "the name is empty")
    if comma.kind not in {"comma", "end"}:
        raise _syntax_error(item, comma.start, f"a comma should stand, not {shown(comma.text)}")
    return Goal(GoalKind(keyword), name.text)


def _nearest(name: str, known: Iterable[str]) -> str | None:
    folded = name.casefold()
    exact = next((other for other in known if other.casefold() == folded), None)
    if exact is not None or len(name) > _LONGEST_COMPARED:
        return exact
    compared = [other for other in known if len(other) <= _LONGEST_COMPARED][:_MOST_COMPARED]
    return next(iter(difflib.get_close_matches(name, compared, n=1)), None)


def _check_text(text: str) -> None:
    try:
        size = len(text) if len(text) > LARGEST_TEXT else len(text.encode())
    except UnicodeEncodeError as error:
        raise _syntax_error(0, error.start, "half of a surrogate pair stands here") from error
    if size > LARGEST_TEXT:
        problem = f"it is longer than {LARGEST_TEXT} bytes"
        raise TestCaseError(f"The test case cannot be read: {problem}.", faults=[Fault("testcase", problem)])
    if "\0" in text:
        raise _syntax_error(0, text.index("\0"), "a NUL stands here")


def _syntax_error(item: int, start: int, problem: str) -> TestCaseError:
    where = f"at character {start + 1}, {problem}"
    return TestCaseError(
        f"Item {item + 1} of the test case: {where}.", faults=[Fault(f"testcase[{item}]", where)]
    )
