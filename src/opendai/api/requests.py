"""What surrounds every request: its id, its line in the log, and the last word on an exception."""

import re
import time
import uuid

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opendai.auth.addresses import client_address

_log = structlog.get_logger("opendai.requests")
_ACCEPTABLE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def request_id(request: Request) -> str:
    return str(request.scope.get("opendai_request_id", ""))


def failure_sentence(identity: str) -> str:
    """All that a caller is told of a failure of ours."""
    return f"The server failed. Its log has the details under this request id. ({identity})"


class RequestLog:
    """Gives each request an id, logs one line for it without its query, and logs a failure once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        identity = given.decode() if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        scope["opendai_request_id"] = identity
        status, started = 0, time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", identity.encode())]
            await send(message)

        log = _log.bind(
            request_id=identity,
            method=scope["method"],
            path=scope["path"],
            address=client_address(Request(scope)),
        )
        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("request failed", status=500)
            # Raised further it would be logged again, and answered without the id.
            if not status:
                failure = JSONResponse({"message": failure_sentence(identity)}, 500)
                await failure(scope, receive, send_with_id)
            return
        log.info("request", status=status, milliseconds=round((time.perf_counter() - started) * 1000, 1))
