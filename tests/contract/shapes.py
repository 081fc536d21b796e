"""Whether a body holds what a shape says: every field there, with its type."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.contract.published import ListOf, Object, Shape


def problems(
    body: Any,
    shape: Shape,
    *,
    nulls: Mapping[str, str],
    place: str = "",
) -> Iterator[str]:
    """The differences of a body from a shape. `nulls` are the fields that may be null, by "Schema.field"."""
    if isinstance(shape, ListOf):
        if not isinstance(body, list):
            yield f"{place or 'the body'} is not a list"
            return
        for position, item in enumerate(body):
            yield from problems(item, shape.item, nulls=nulls, place=f"{place}[{position}]")
    elif isinstance(shape, Object):
        if not isinstance(body, dict):
            yield f"{place or 'the body'} is not an object"
            return
        for name, inner in shape.fields:
            yield from _field(body, shape.name, name, inner, nulls=nulls, place=place)
    elif not _is(body, shape):
        yield f"{place} is {body!r} and not of the type {shape}"


def _field(
    body: dict[str, Any],
    schema: str,
    name: str,
    shape: Shape,
    *,
    nulls: Mapping[str, str],
    place: str,
) -> Iterator[str]:
    key, here = f"{schema}.{name}", f"{place}.{name}"
    if name not in body:
        yield f"{here} is missing"
    elif body[name] is None:
        if key not in nulls:
            yield f"{here} is null, which no deviation allows"
    else:
        yield from problems(body[name], shape, nulls=nulls, place=here)


def _is(value: Any, kind: str) -> bool:
    if kind == "datetime":
        return isinstance(value, str) and _is_moment(value)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, {"string": str, "boolean": bool, "any": object}[kind])


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
