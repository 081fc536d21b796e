"""Repeats a call of the protocol until the server has accepted or finally refused it."""

import logging
from collections.abc import Callable
from typing import TypeVar

from opendai_client.errors import ClientError, ServerUnreachable

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
# With the pauses above that is half a minute of the same failure of the server's own.
_MOST_FAULTS = 10


class Stopped(Exception):  # noqa: N818 - a way to end, not a failure
    """The agent was told to stop while it waited."""


class RunLost(Exception):  # noqa: N818 - a way to end, not a failure
    """The lease is gone or the run has ended: further reports of this agent on the run do not count."""


def insist(call: Callable[[], _Result], *, wait: Callable[[float], bool]) -> _Result:
    """The answer, however long the server is away.

    ``wait`` sleeps for the given seconds and returns whether to give up, which raises Stopped. A 409 is RunLost.
    A permanent refusal is ClientError; a 500 counts as temporary for a limited time.
    """
    attempt = faults = 0
    while True:
        try:
            result = call()
        except (ClientError, ServerUnreachable) as error:
            if isinstance(error, ClientError):
                faults += error.status == 500
                _raise_unless_passing(error, faults=faults)
            # One line when it begins and one when it is over, not one for each try.
            logger.log(logging.DEBUG if attempt else logging.WARNING, "%s Trying again.", error)
            asked = error.retry_after_seconds if isinstance(error, ClientError) else 0.0
            pause = min(_FIRST_PAUSE_SECONDS * 2 ** min(attempt, 10), _LONGEST_PAUSE_SECONDS)
            attempt += 1
            if wait(max(pause, min(asked, 60.0))):
                raise Stopped from error
        else:
            if attempt:
                logger.info("The server answers again.")
            return result


def _raise_unless_passing(error: ClientError, *, faults: int) -> None:
    if error.status == 409:
        raise RunLost(error.message) from error
    if not error.is_passing and not (error.status == 500 and faults < _MOST_FAULTS):
        raise error
