"""The published API of DAI 5.2 as data: its operations, and what each answer has to hold."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_PAGE: dict[str, Any] = json.loads((Path(__file__).parent / "dai-5.2.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    is_required: bool


@dataclass(frozen=True)
class Object:
    """A JSON object; `name` is the published schema's, empty for an envelope."""

    name: str
    fields: tuple[tuple[str, "Shape"], ...]


@dataclass(frozen=True)
class ListOf:
    item: "Shape"


# A scalar is the page's own word: string, integer, boolean, float, datetime, any …
Shape = str | Object | ListOf
NOTHING = "nothing"


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    summary: str
    needs_token: bool
    media_type: str | None
    parameters: tuple[tuple[str, str], ...]
    """Name and place (path or query) of each."""
    body: tuple[Field, ...]
    errors: tuple[int, ...]
    success: int
    shape: Shape
    """The shape of the body of a success by the page; `NOTHING` where the page names no schema."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def statuses(self) -> set[int]:
        return {self.success, *self.errors}


@cache
def operations() -> dict[str, Operation]:
    """All of them by name, such as "GET /ai/agents/{id}", in the page's order."""
    found = [_operation(entry) for entry in _PAGE["operations"]]
    return {operation.name: operation for operation in found}


def shape_of(type_name: str) -> Shape:
    """The shape that a type of the page stands for: "[Run]" is a list of runs."""
    if type_name.startswith("["):
        return ListOf(shape_of(type_name.strip("[]")))
    if type_name in _PAGE["schemas"]:
        fields = _PAGE["schemas"][type_name]
        return Object(type_name, tuple((field["name"], shape_of(field["type"])) for field in fields))
    return {"string(date-time)": "datetime"}.get(type_name, type_name)


def envelope(item: str) -> Object:
    """A page of a list: the items, how many there are in all, and as of when."""
    fields = (("items", shape_of(f"[{item}]")), ("total_count", "integer"), ("date_as_of", "datetime"))
    return Object("", fields)


def matches(operation: str, method: str, path: str) -> bool:
    """Whether a request is one of the operation's."""
    wanted, template = operation.split(" ")
    pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
    return method == wanted and re.fullmatch(pattern, path) is not None


def fields_of(shape: Shape) -> Iterator[tuple[str, str, Shape]]:
    """Every field anywhere in a shape: the schema's name, the field's, and its shape."""
    if isinstance(shape, ListOf):
        yield from fields_of(shape.item)
    elif isinstance(shape, Object):
        for field, inner in shape.fields:
            yield shape.name, field, inner
            yield from fields_of(inner)


def _operation(entry: Mapping[str, Any]) -> Operation:
    success = next(status for status in entry["responses"] if int(status) < 400)
    return Operation(
        method=entry["method"],
        path=entry["path"],
        summary=entry["summary"],
        needs_token=entry["bearer"],
        media_type=entry["request_content_type"],
        parameters=tuple((parameter["name"], parameter["in"]) for parameter in entry["params"]),
        body=tuple(_body(entry.get("body"))),
        errors=tuple(int(status) for status in entry["responses"] if status != success),
        success=int(success),
        shape=_answer(entry["responses"][success]),
    )


def _body(body: Mapping[str, Any] | None) -> Iterator[Field]:
    if body is not None:
        for field in body["fields"] or _PAGE["schemas"].get(body["schema"], []):
            yield Field(field["name"], field["type"], field["required"])


def _answer(answer: Mapping[str, Any]) -> Shape:
    if answer["schema"] is None:
        return NOTHING
    if "inline" not in answer:
        return shape_of(answer["schema"])
    rows = [row for row in answer["inline"] if row["depth"] < 2]
    if rows[0]["depth"] == 0:
        return shape_of(rows[0]["type"])
    return Object("", tuple((row["name"], shape_of(row["type"])) for row in rows))
