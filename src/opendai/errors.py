"""The errors of callers: classes with a status, which each family words in its own body."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input: where it is, and what is wrong there."""

    field: str
    problem: str
    value: object = dataclasses.field(default=None, repr=False, compare=False)
    """The value that was sent, if it is known. Only a family whose published errors have it shows it."""


class Problem(Exception):  # noqa: N818 - a refusal is an answer, not a failure of ours
    """A request that does not succeed."""

    status = 500
    title = "Internal Server Error"
    retry_after = 1
    """Seconds until another attempt makes sense; the answers 429 and 503 carry it."""

    def __init__(
        self, message: str, *, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.faults = tuple(faults)
        self.headers = dict(headers or {})


class Invalid(Problem):
    """The input is not acceptable."""

    status = 400
    title = "Bad Request"


class Unauthorized(Problem):
    """The caller is unknown."""

    status = 401
    title = "Unauthorized"


class PaymentRequired(Problem):
    """The installed licenses do not allow one more."""

    status = 402
    title = "Payment Required"


class Forbidden(Problem):
    """The caller is known and does not have the right."""

    status = 403
    title = "Forbidden"


class NotFound(Problem):
    """There is no such thing, or none that this caller may know of."""

    status = 404
    title = "Not Found"


class Conflict(Problem):
    """The request contradicts what is stored."""

    status = 409
    title = "Conflict"


class PreconditionFailed(Problem):
    """The input breaks a rule, in the family that has a status of its own for that."""

    status = 412
    title = "Precondition Failed"


class TooLarge(Problem):
    """The input is over a limit of size."""

    status = 413
    title = "Content Too Large"


class UnsupportedMediaType(Problem):
    """The body is of a type that the operation does not take."""

    status = 415
    title = "Unsupported Media Type"


class TooMany(Problem):
    """The request exceeds a limit; it may succeed after `retry_after` seconds."""

    status = 429
    title = "Too Many Requests"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(Problem):
    """A part of the server that the request needs does not answer."""

    status = 503
    title = "Service Unavailable"
