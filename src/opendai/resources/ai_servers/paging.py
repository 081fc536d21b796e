"""Pages as Spring Data has them: numbered from 0, sorted by named fields, and linked to each other."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Query, Request
from sqlalchemy import ColumnElement, String, func
from sqlalchemy.orm import InstrumentedAttribute

from opendai.errors import Invalid

_SIZE = 20
_LARGEST_SIZE = 2000
_LARGEST_PAGE = 2**31 - 1
_OWN = {"page", "size", "sort"}


@dataclass(frozen=True, slots=True)
class Order:
    """One field that a list is sorted by."""

    field: str
    is_descending: bool
    ignores_case: bool

    @property
    def suffix(self) -> str:
        direction = "desc" if self.is_descending else "asc"
        return f"{direction},ignorecase" if self.ignores_case else direction


@dataclass(frozen=True, slots=True)
class Paging:
    """The requested part of a list. `others` are the other parameters of the request."""

    number: int
    size: int
    orders: tuple[Order, ...]
    others: tuple[tuple[str, str], ...] = ()

    @property
    def offset(self) -> int:
        return self.number * self.size


async def _paging(
    request: Request,
    page: Annotated[str, Query(description="The number of the page, from 0.")] = "0",
    size: Annotated[str, Query(description=f"How many on a page, at most {_LARGEST_SIZE}.")] = str(_SIZE),
    sort: Annotated[list[str] | None, Query(description="`field[,field…][,asc|desc][,ignorecase]`.")] = None,
) -> Paging:
    others = tuple(pair for pair in request.query_params.multi_items() if pair[0] not in _OWN)
    return Paging(_number_of(page), _size_of(size), tuple(_orders(sort or ())), others)


PagingDep = Annotated[Paging, Depends(_paging)]


def _number_of(text: str) -> int:
    # Spring answers an impossible page number with the first page, and never with a refusal.
    number = int(text) if re.fullmatch("[0-9]{1,10}", text) else 0
    return number if number <= _LARGEST_PAGE else 0


def _size_of(text: str) -> int:
    size = int(text) if re.fullmatch("[0-9]{1,10}", text) else 0
    return min(size, _LARGEST_SIZE) if 0 < size <= _LARGEST_PAGE else _SIZE


def _orders(given: Iterable[str]) -> Iterator[Order]:
    """The orders that `sort` names, each field once: a second time would change nothing."""
    seen = set()
    for text in given:
        words = [word.strip() for word in text.split(",") if word.strip()]
        ignores_case = bool(words) and words[-1].lower() == "ignorecase"
        words = words[:-1] if ignores_case else words
        direction = words[-1].lower() if words and words[-1].lower() in {"asc", "desc"} else ""
        for field in words[:-1] if direction else words:
            if field not in seen:
                seen.add(field)
                yield Order(field, direction == "desc", ignores_case)


def pages_of(total: int, size: int) -> int:
    return -(-total // size)


def linked_pages(paging: Paging, total: int) -> dict[str, int]:
    """The pages that a page links to, by their relation."""
    number, pages = paging.number, pages_of(total, paging.size)
    has_previous, has_next = number > 0, number + 1 < pages
    linked = {}
    if has_previous or has_next:
        linked["first"] = 0
    if has_previous:
        linked["prev"] = number - 1
    linked["self"] = number
    if has_next:
        linked["next"] = number + 1
    if has_previous or has_next:
        linked["last"] = max(pages - 1, 0)
    return linked


def query_of(paging: Paging, number: int) -> str:
    """The query of one page: the other parameters, the number of the page, its size, and the order."""
    parameters = [
        *paging.others,
        ("page", str(number)),
        ("size", str(paging.size)),
        *(("sort", text) for text in _folded(paging.orders)),
    ]
    return "&".join(f"{quote(name, safe='')}={quote(value, safe=',')}" for name, value in parameters)


def _folded(orders: Sequence[Order]) -> Iterator[str]:
    """Adjacent fields of the same direction share a parameter."""
    for suffix, group in groupby(orders, lambda order: order.suffix):
        yield ",".join([*(order.field for order in group), suffix])


def check_sort(orders: Sequence[Order], sortable: Iterable[str]) -> None:
    """Raise Invalid for a field that is not sortable."""
    for order in orders:
        if order.field not in sortable:
            raise Invalid(f"sort: must name fields of {', '.join(sortable)}.")


def sorted_by(
    orders: Sequence[Order], sortable: Mapping[str, InstrumentedAttribute[Any] | None]
) -> Iterator[ColumnElement[Any]]:
    """The columns to sort by. A field without a column has the same value in every row and is left out."""
    for order in orders:
        column = sortable[order.field]
        if column is not None:
            is_text = isinstance(column.type, String)
            value = func.lower(column) if order.ignores_case and is_text else column
            # The databases sort rows without a value differently.
            yield value.desc().nulls_last() if order.is_descending else value.asc().nulls_first()
