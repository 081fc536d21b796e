"""Test cases as a language model drafts them, found in the text of its answer and checked."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

_MOST_CASES = 100
_MOST_STEPS = 100
_LONGEST = 60_000
_MOST_STARTS = 10
_DECODER = json.JSONDecoder(strict=False)
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_STRING_OR_COMMA = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|,(?=\s*[\]}])', re.DOTALL)


class ShapeError(ValueError):
    """The text holds no test cases of the documented shape; the message says what is wrong and where."""


def storable(text: str) -> str:
    """The text without characters that no database can store and no reader can see."""
    return _UNSTORABLE.sub("\ufffd", text)


def _storable(value: object) -> object:
    return storable(value).strip() if isinstance(value, str) else value


def _text_or_nothing(value: object) -> object:
    return "" if value is None else _storable(value)


def _in_order(steps: list["Step"]) -> list["Step"]:
    """The steps by their indexes if each step has its own, otherwise as they came; counted from 1."""
    numbers = [step.index for step in steps if step.index is not None]
    if len(set(numbers)) == len(steps):
        steps = sorted(steps, key=lambda step: step.index or 0)
    return [step.model_copy(update={"index": number}) for number, step in enumerate(steps, 1)]


Needed = Annotated[str, Field(min_length=1, max_length=4_000), BeforeValidator(_storable)]
Title = Annotated[str, Field(min_length=1, max_length=255), BeforeValidator(_storable)]
Optional = Annotated[str, Field(max_length=10_000), BeforeValidator(_text_or_nothing)]


class Step(BaseModel):
    """An action, and the result to expect."""

    index: int | None = None
    action: Needed
    expectedResult: Optional = ""  # noqa: N815 - the documented spelling


class Draft(BaseModel):
    """A test case in the documented shape."""

    name: Title
    description: Optional = ""
    prerequisites: Optional = ""
    testSteps: Annotated[list[Step], Field(max_length=_MOST_STEPS), AfterValidator(_in_order)] = []  # noqa: N815

    @property
    def prose(self) -> str:
        """The whole test case as a text for people."""
        parts = [self.description]
        if self.prerequisites:
            parts.append(f"Prerequisites: {self.prerequisites}")
        parts.append("\n".join(_line(step) for step in self.testSteps))
        return "\n\n".join(part for part in parts if part)


class _Answer(BaseModel):
    testCases: Annotated[list[Draft], Field(min_length=1, max_length=_MOST_CASES)]  # noqa: N815


def _line(step: Step) -> str:
    result = f"\n   Expected: {step.expectedResult}" if step.expectedResult else ""
    return f"{step.index}. {step.action}{result}"


def read_drafts(text: str) -> list[Draft]:
    """The test cases of an answer. Text around the JSON is skipped, and a comma before a bracket is ignored."""
    try:
        drafts = _Answer.model_validate(_found(text)).testCases
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise ShapeError(f"{_place(fault['loc'])}: {fault['msg']}.") from error
    for number, draft in enumerate(drafts):
        if len(draft.prose) > _LONGEST:
            raise ShapeError(f"testCases[{number}]: has more than {_LONGEST} characters.")
    return drafts


def _found(text: str) -> dict[str, Any]:
    """The first object in the text that has test cases."""
    if text.lstrip().startswith("<think>"):
        text = text.rpartition("</think>")[2]
    problems = []
    for value in _objects(text):
        if isinstance(value, str):
            problems.append(f"The JSON of the text is broken: {value}.")
        elif "testCases" in value:
            return value
        else:
            problems.append('The JSON of the text has no "testCases".')
    # Later objects are mostly parts of the first one.
    raise ShapeError(problems[0] if problems else "The text holds no JSON object.")


def _objects(text: str) -> Iterator[dict[str, Any] | str]:
    """The objects in the text, and for a text that only looks like one the error in it."""
    at = text.find("{")
    for _ in range(_MOST_STARTS):
        if at < 0:
            return
        try:
            value, length = _decoded(text[at:])
            yield value
            at += length - 1
        except json.JSONDecodeError as error:
            place = f"line {text.count(chr(10), 0, at) + error.lineno}, column {error.colno}"
            yield f"{error.msg} at {place}"
        except (ValueError, RecursionError):
            yield "it is nested too deeply or holds a number that is too long"
        at = text.find("{", at + 1)


def _decoded(text: str) -> tuple[dict[str, Any], int]:
    """The object that the text begins with, and its length in the text."""
    try:
        return _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        # A blank replaces the comma, so that every position stays the same.
        mended = _STRING_OR_COMMA.sub(lambda found: " " if found[0] == "," else found[0], text)
        if mended == text:
            raise
        try:
            return _DECODER.raw_decode(mended)
        except json.JSONDecodeError:
            raise error from None


def _place(location: tuple[int | str, ...]) -> str:
    written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return written.removeprefix(".")
