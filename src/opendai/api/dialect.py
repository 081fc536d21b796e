"""What every API family is: a mounted application over the same repositories with an error body of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount
from starlette.types import Message, Receive, Scope, Send

from opendai import __version__
from opendai.api import openapi, reference
from opendai.api.requests import failure_sentence, request_id
from opendai.errors import Fault, Problem

_log = structlog.get_logger("opendai.database")
_BUSY = "The database does not answer in time. Try again in a moment."
_NOTHING = "There is nothing at this address."
_TOO_LARGE = "The body is larger than what is taken here."


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a dialect needs to know to word an answer that is not a success."""

    status: int
    message: str
    faults: Sequence[Fault] = ()
    problem: Problem | None = None
    headers: Mapping[str, str] | None = None


Body = Callable[[Refusal], Any]
Describe = Callable[[dict[str, Any]], dict[str, Any]]


class Family(FastAPI):
    """A FastAPI application whose last plain-text answer, to a body over the limit, is worded like the others."""

    def __init__(self, *, prefix: str, body: Body, describe: Describe, **settings: Any) -> None:
        # A redirect for a slash too many would lead to wherever the Host header says.
        super().__init__(
            docs_url=None, redoc_url=None, version=__version__, redirect_slashes=False, **settings
        )
        self._prefix = prefix
        self._body = body
        self._describe = describe
        self._document: dict[str, Any] | None = None
        self._reference = ""
        self.add_route("/docs", self._show_reference, include_in_schema=False)

    def openapi(self) -> dict[str, Any]:
        """The family's OpenAPI document, made once: its routes do not change after `build`."""
        if self._document is None:
            self._document = self._describe(super().openapi())
        return self._document

    def _show_reference(self, _request: Request) -> HTMLResponse:
        self._reference = self._reference or reference.render(self.openapi(), self._prefix)
        return HTMLResponse(self._reference, headers=reference.HEADERS)

    def nothing_here(self) -> JSONResponse:
        """The answer to an address that is nobody's."""
        return self.refuse(404, _NOTHING)

    def refuse(self, status: int, sentence: str) -> JSONResponse:
        """A refusal in the words of this family, for what is asked before its routes are."""
        return JSONResponse(self._body(Refusal(status, sentence)), status)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_replaced = False

        async def reworded(message: Message) -> None:
            # The limit answers before any handler of ours is asked, and in place of whatever one says.
            nonlocal is_replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                is_replaced = True
                await JSONResponse(self._body(Refusal(413, _TOO_LARGE)), 413)(scope, receive, send)
            elif not is_replaced:
                await send(message)

        await super().__call__(scope, receive, reworded)


class Place(Mount):
    """Where a family is mounted. The prefix alone belongs to it too, as if a slash stood behind it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope["path"] != self.path:
            return super().matches(scope)
        path = f"{self.path}/"
        match, child = super().matches({**scope, "path": path})
        return match, {**child, "path": path}


def build(
    title: str,
    routers: Sequence[APIRouter],
    *,
    prefix: str,
    body: Body,
    refusal: openapi.RefusalSchema,
    invalid: int,
    max_body_bytes: int,
    wrong_field: int | None = None,
) -> Family:
    """An application for one family, mounted at `prefix`.

    `invalid` is the status of a body or parameter that cannot be accepted, and `wrong_field` that of a body
    whose fields cannot, where it is another; `refusal` is the schema of what `body` words.
    """

    def describe(document: dict[str, Any]) -> dict[str, Any]:
        return openapi.complete(
            document, routers, prefix, invalid=invalid, wrong_field=wrong_field or invalid, refusal=refusal
        )

    app = Family(prefix=prefix, body=body, describe=describe, title=title, max_body_size=max_body_bytes)
    for router in routers:
        app.include_router(router)

    def answer(refusal: Refusal) -> JSONResponse:
        return JSONResponse(body(refusal), refusal.status, headers=dict(refusal.headers or {}))

    def refused(_request: Request, problem: Exception) -> JSONResponse:
        assert isinstance(problem, Problem)  # noqa: S101 - it is registered for these alone
        status = invalid if problem.status == 400 else problem.status
        waits = {"Retry-After": str(problem.retry_after)} if status in {429, 503} else {}
        headers = {**waits, **problem.headers}
        return answer(Refusal(status, problem.message, problem.faults, problem, headers))

    def malformed(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for these alone
        faults = [_fault(entry) for entry in error.errors()[:20]]
        message = f"{faults[0].field}: {faults[0].problem}" if faults else "The request is malformed."
        is_field = all(map(_is_of_a_field, error.errors()))
        return answer(Refusal(wrong_field if wrong_field and is_field else invalid, message, faults))

    def not_routed(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these alone
        status = invalid if error.status_code == 400 else error.status_code
        return answer(Refusal(status, _sentence(error), headers=error.headers))

    def out_of_reach(request: Request, error: Exception) -> JSONResponse:
        reason = str(getattr(error, "orig", error)).strip().partition("\n")[0]
        _log.warning("the database did not answer", reason=reason, request_id=request_id(request))
        return answer(Refusal(503, _BUSY, headers={"Retry-After": "1"}))

    def out_of_range(_request: Request, _error: Exception) -> JSONResponse:
        # The shared input types keep such values out; this is the second lock.
        return answer(Refusal(invalid, "A value is out of the range that can be stored."))

    def failed(request: Request, _error: Exception) -> JSONResponse:
        return answer(Refusal(500, failure_sentence(request_id(request))))

    app.add_exception_handler(Problem, refused)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, not_routed)
    app.add_exception_handler(OperationalError, out_of_reach)
    app.add_exception_handler(DataError, out_of_range)
    app.add_exception_handler(Exception, failed)
    return app


def _is_of_a_field(entry: Mapping[str, Any]) -> bool:
    return entry["loc"][0] == "body" and len(entry["loc"]) > 1 and entry["type"] != "json_invalid"


def _fault(entry: Mapping[str, Any]) -> Fault:
    # The context is not passed on: it may echo what was sent in the midst of a sentence.
    place = [str(part) for part in entry["loc"] if part not in {"body", "query", "path", "header"}]
    problem = "must be valid JSON" if entry["type"] == "json_invalid" else str(entry["msg"])
    name = ".".join(place) or str(entry["loc"][0])
    return Fault(name, problem.removeprefix("Value error, "), entry.get("input"))


def _sentence(error: HTTPException) -> str:
    match error.status_code:
        case 404:
            return _NOTHING
        case 405:
            return "This address does not take this method."
        case 413:
            return _TOO_LARGE
        case 400:
            return "The body cannot be read."
    return str(error.detail)
