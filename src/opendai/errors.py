"""What can go wrong for a caller, as classes with a status; each dialect renders them in its own body."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input: where it is, and what is wrong there."""

    field: str
    problem: str
    value: object = dataclasses.field(default=None, repr=False, compare=False)
    """What was sent, if it is known. Only a family whose errors are published with it shows it."""


class Problem(Exception):  # noqa: N818 - a refusal is an answer, not a failure of ours
    """A request that is answered with something else than success."""

    status = 500
    title = "Internal Server Error"
    retry_after = 1
    """Seconds until it is worth asking again; said with 429 and 503."""

    def __init__(
        self, message: str, *, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.faults = tuple(faults)
        self.headers = dict(headers or {})


class Invalid(Problem):
    """The input cannot be accepted as it is."""

    status = 400
    title = "Bad Request"


class Unauthorized(Problem):
    """Nobody is known to be asking."""

    status = 401
    title = "Unauthorized"


class PaymentRequired(Problem):
    """The licences that are installed do not allow one more."""

    status = 402
    title = "Payment Required"


class Forbidden(Problem):
    """The caller is known and may not."""

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
    """The input breaks a rule, in the family that answers so with a status of its own."""

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
    """More of this is asked for than the server does; after so many seconds it may be granted."""

    status = 429
    title = "Too Many Requests"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(Problem):
    """A part of the server that the request needs does not answer."""

    status = 503
    title = "Service Unavailable"
