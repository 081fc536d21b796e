"""The kinds of input that every family shares, each with its bounds, so that both databases refuse alike."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from opendai.credentials.passwords import LONGEST

LARGEST_ID = 2**63 - 1
_JSON_KIND = re.compile(r"|\*/\*|application/([\w.-]+\+)?json", re.ASCII)
# PostgreSQL cannot store NUL, nothing can store half a surrogate pair, and no client means the rest of these.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

_SPACE_BEFORE_OFFSET = re.compile(r" (?=\d\d:?\d\d$)")


def _printable(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("must not contain control characters or lone surrogates")
    return value


def _one_line(value: str) -> str:
    if "\n" in value or "\r" in value or "\t" in value:
        raise ValueError("must be a single line")
    return value


def _plain_digits(value: object) -> object:
    # int() also takes "+1", "1_000", " 1" and digits of other scripts.
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,19}", value):
        raise ValueError("must be a whole number")
    return value


def _aware(value: datetime) -> datetime:
    if not 1970 <= value.year <= 2200:
        raise ValueError("must be between the years 1970 and 2200")
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _with_plus(value: object) -> object:
    # The plus sign of "+01:00" arrives as a space if the client did not URL-encode it.
    return _SPACE_BEFORE_OFFSET.sub("+", value) if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_printable), Field(max_length=65_536)]
Line = Annotated[str, AfterValidator(_printable), AfterValidator(_one_line), Field(max_length=255)]
Password = Annotated[str, AfterValidator(_printable), Field(max_length=LONGEST)]
Name = Annotated[Line, Field(min_length=1)]
# The whole numbers that both databases can keep; an id or a count in a request is one of them.
Whole = Annotated[int, BeforeValidator(_plain_digits), Field(ge=-LARGEST_ID, le=LARGEST_ID)]
Id = Annotated[Whole, Path(ge=1, le=LARGEST_ID)]
Search = Annotated[str, AfterValidator(_printable), Query(max_length=200)]
# Zero is a row that does not exist, so it finds nothing.
RowNumber = Annotated[Whole, Query(ge=0, le=LARGEST_ID)]
Limit = Annotated[Whole, Query(ge=1, le=1000)]
# A listener asks for the newest 20 rows by offset = total_count - 20, also when there are fewer.
Offset = Annotated[Whole, AfterValidator(lambda value: max(value, 0)), Query(ge=-(10**9), le=10**9)]

# A count or an order: PostgreSQL's integer ends here.
Number = Annotated[Whole, Field(ge=0, le=2**31 - 1)]
# Without an offset it is taken as UTC; years that only one of the databases can keep are refused.
Moment = Annotated[datetime, AfterValidator(_aware)]
QueryMoment = Annotated[Moment, BeforeValidator(_with_plus)]
# Always with its offset in figures: what some clients parse with does not know "Z".
Timestamp = Annotated[datetime, PlainSerializer(lambda moment: moment.isoformat(), return_type=str)]


class Input(BaseModel):
    """A body of a request. Unknown fields are ignored, as the clients of DAI send some."""

    model_config = ConfigDict(allow_inf_nan=False)


class Output(BaseModel):
    """A body of an answer, read from a row's attributes. No field is ever left out of it."""

    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True)


def form_or_json(schema: type[Input]) -> Any:
    """A body that is a form in the published page, and JSON from real clients, or the other way round."""

    async def read(request: Request) -> Input:
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            async with request.form(max_files=0, max_fields=100) as form:
                fields: Mapping[str, Any] = {name: value for name, value in form.items() if value != ""}
        else:
            fields = await _json(request)
        return _validated(schema, fields)

    return Depends(read)


def any_json(schema: type[Input]) -> Any:
    """A body of JSON under any of its types, and under none: known clients send application/hal+json, or no type."""

    async def read(request: Request) -> Input:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not _JSON_KIND.fullmatch(kind):
            raise _unreadable()
        return _validated(schema, await _json(request))

    return Depends(read)


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error


def _unreadable() -> RequestValidationError:
    return RequestValidationError(
        [{"type": "json_invalid", "loc": ("body",), "msg": "the body is not JSON", "input": None}]
    )


def _validated(schema: type[Input], fields: Any) -> Input:
    try:
        return schema.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(
            [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        ) from error


def form_or_json_page(schema: type[Input]) -> dict[str, Any]:
    """The OpenAPI page of such a body."""
    return _body_page(schema, "application/x-www-form-urlencoded", "application/json")


def any_json_page(schema: type[Input]) -> dict[str, Any]:
    """The OpenAPI page of such a body."""
    return _body_page(schema, "application/json", "application/hal+json")


def _body_page(schema: type[Input], *kinds: str) -> dict[str, Any]:
    content = {kind: {"schema": schema.model_json_schema()} for kind in kinds}
    return {"requestBody": {"required": True, "content": content}}
