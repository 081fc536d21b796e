"""The errors between a client and its server."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

_LONGEST_MESSAGE = 2000

# The statuses of a server, or of a proxy before it, that is away or busy for the moment.
_PASSING_STATUSES = frozenset({429, 502, 503, 504})


class ClientError(Exception):
    """The server refused the call: ``status`` is the HTTP status, ``message`` the text of the answer.

    ``retry_after_seconds`` is the pause that the server asked for; 0 if it named none.
    """

    def __init__(self, status: int, message: str, *, retry_after_seconds: float = 0.0) -> None:
        super().__init__(f"{message} (HTTP {status})")
        self.status = status
        self.message = message
        self.retry_after_seconds = retry_after_seconds

    @property
    def is_passing(self) -> bool:
        """Whether the same call may well be answered a little later."""
        return self.status in _PASSING_STATUSES


class ServerUnreachable(Exception):  # noqa: N818 - the state of a server, not a mistake of the caller
    """No answer came: the connection failed, broke off or took too long."""


def refusal(response: httpx.Response) -> ClientError:
    """The error that an answer outside 200 to 299 means, in the words of whichever API family sent it."""
    pause = _retry_after(response.headers.get("Retry-After", ""))
    return ClientError(response.status_code, _words(response)[:_LONGEST_MESSAGE], retry_after_seconds=pause)


def unreachable(request: str, error: Exception) -> ServerUnreachable:
    """``request`` is the method and the address without its query, which may carry a signature."""
    reason = str(error) or type(error).__name__
    return ServerUnreachable(f"{request} got no answer: {reason}.")


def _retry_after(header: str) -> float:
    """Seconds, from the two forms of RFC 9110 section 10.2.3; any other text counts as none."""
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            return 0.0
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0


def _words(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        for key in ("message", "detail", "error_description", "error", "title"):
            words = _sentence(body.get(key))
            if words:
                return words + _faults(body.get("errors"))
    return f"The server answered {response.status_code} {response.reason_phrase}".rstrip() + "."


def _sentence(value: object) -> str:
    """Text as it is; a list such as FastAPI's ``[{"loc": [...], "msg": "..."}]`` as one line."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return "; ".join(filter(None, map(_complaint, value)))
    return ""


def _complaint(item: object) -> str:
    if not isinstance(item, dict):
        return _sentence(item)
    place = item.get("loc")
    where = ".".join(map(str, place)) if isinstance(place, list) else ""
    what = _sentence(item.get("msg"))
    return f"{where}: {what}" if where and what else what


def _faults(errors: object) -> str:
    """The places that go with a message: ``[{"field": "name", "problem": "is missing"}]``."""
    if not isinstance(errors, list):
        return ""
    faults = [
        f"{error['field']}: {error['problem']}"
        for error in errors
        if isinstance(error, dict)
        and isinstance(error.get("field"), str)
        and isinstance(error.get("problem"), str)
    ]
    return f" ({'; '.join(faults)})" if faults else ""
