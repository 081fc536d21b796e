"""The sort grammar of DAI: `-column` descends, `+column` or `column` ascends."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression

from opendai.errors import Fault, Invalid

Column = SQLColumnExpression[Any]


def sort_by(given: str | None, columns: Mapping[str, Column], tie_break: Column) -> list[ColumnElement[Any]]:
    """The order that a request asks for, by id within equal values. Only the listed columns can be named."""
    wish = (given or "").strip()  # A plus sign that was not URL-encoded arrives as a space.
    if not wish:
        return [tie_break.asc()]
    name = wish.lstrip("+-")
    if name not in columns:
        known = ", ".join(columns)
        raise Invalid("The sort column is unknown.", faults=[Fault("sort", f"must be one of {known}")])
    column = columns[name]
    return [column.desc(), tie_break.desc()] if wish.startswith("-") else [column.asc(), tie_break.asc()]
