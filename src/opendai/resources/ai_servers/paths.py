"""The path of the text in an AI server's answer: names joined by dots, and indexes, as "choices[0].message"."""

import re
from collections.abc import Sequence
from typing import Any

from opendai.errors import PreconditionFailed

LONGEST = 200
_DEEPEST = 20
_PATH = re.compile(r"(?:\$|[\w-]*)(?:\.[\w-]+|\[[0-9]{1,9}\])*")
_STEP = re.compile(r"([\w-]+)|\[([0-9]+)\]")

Step = str | int


def parse_path(text: str) -> tuple[Step, ...]:
    """The names and indexes of a path; ValueError for any other text. An empty path is the whole answer."""
    if len(text) > LONGEST:
        raise ValueError(f"must have at most {LONGEST} characters")
    if not _PATH.fullmatch(text):
        raise ValueError("must be names with dots between them and indexes, as choices[0].message.content")
    steps = tuple(name or int(index) for name, index in _STEP.findall(text))
    if len(steps) > _DEEPEST:
        raise ValueError(f"must have at most {_DEEPEST} names and indexes")
    return steps


def value_at(answer: Any, path: Sequence[Step]) -> Any:
    """The value at a path of the answer; PreconditionFailed with the place if the answer has none."""
    for depth, step in enumerate(path):
        try:
            answer = _inner(answer, step)
        except LookupError as error:
            place = _written(path[: depth + 1])
            raise PreconditionFailed(f"The answer of the AI server has nothing at {place}.") from error
    return answer


def _inner(value: Any, step: Step) -> Any:
    if isinstance(value, dict) and isinstance(step, str):
        return value[step]
    if isinstance(value, list) and isinstance(step, int):
        return value[step]
    raise LookupError(step)


def _written(path: Sequence[Step]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
