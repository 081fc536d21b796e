"""The text of a license: a JSON object such as `{"users": 5, "executions": 2, "expires": "2027-12-31"}`.

Each of the three names is optional.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, StrictInt, ValidationError

from opendai.wire.inputs import Input, Moment

UNREADABLE = (
    'must be a JSON object with "users", "executions" (whole numbers) and "expires" (a date), or less'
)


def _end(given: object) -> object:
    """The moment when a license ends; a date ends with its day, by UTC."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise ValueError("must be a date")  # noqa: TRY004 - pydantic takes only this for a fault of the input
    if len(given) != len("2027-12-31"):
        return datetime.fromisoformat(given)
    last_day = datetime.combine(date.fromisoformat(given), time(tzinfo=UTC))
    return last_day + timedelta(days=1) if last_day.year < 9999 else last_day


Count = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]


class Terms(Input):
    """The limits that a license names. None: the license does not name this limit."""

    users: Count | None = None
    executions: Count | None = None
    expires_at: Annotated[Moment | None, BeforeValidator(_end)] = Field(None, alias="expires")


def read_terms(text: str) -> Terms | None:
    """The terms of a license; None for a text that is not a license."""
    try:
        return Terms.model_validate_json(text)
    except ValidationError:
        return None
