"""The id of a request, and its line in the log."""

import re
import time
import uuid

import structlog
from fastapi import Request
from starlette.types import Scope

from opendai.auth.addresses import client_address

_log = structlog.get_logger("opendai.requests")
_ACCEPTABLE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ID = "opendai_request_id"


def request_id(request: Request) -> str:
    return str(request.scope.get(_ID, ""))


def failure_sentence(identity: str) -> str:
    """All that a caller is told of a failure of ours."""
    return f"The server failed. Its log has the details under this request id. ({identity})"


def give_id(scope: Scope) -> str:
    """The id of a request: the client's own if it is plain, otherwise a new one."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    identity = given.decode() if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
    scope[_ID] = identity
    return identity


class LogLine:
    """The one line that the log has of a request, without its query."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._started = time.perf_counter()

    def write(self, status: int) -> None:
        milliseconds = round((time.perf_counter() - self._started) * 1000, 1)
        _log.info("request", **self._fields(), status=status, milliseconds=milliseconds)

    def write_failure(self) -> None:
        """To be called where the failure is caught."""
        _log.exception("request failed", **self._fields(), status=500)

    def _fields(self) -> dict[str, str | None]:
        scope = self._request.scope
        return {
            "request_id": request_id(self._request),
            "method": scope["method"],
            "path": scope["path"],
            "address": client_address(self._request),
        }
