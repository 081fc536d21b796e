"""An API family: operations below one prefix, which share how a refusal is worded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from opendai import __version__
from opendai.api import openapi, reference
from opendai.api.requests import failure_sentence, request_id
from opendai.errors import Fault, Problem
from opendai.wire.routing import Directory, Found, Router

_log = structlog.get_logger("opendai.database")
_BUSY = "The database does not answer in time. Try again in a moment."
_SENTENCES = {
    HTTPStatus.BAD_REQUEST: "The body cannot be read.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take this method.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than this address accepts.",
}
_MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success, before a family words it."""

    status: int
    message: str
    faults: Sequence[Fault] = ()
    problem: Problem | None = None
    headers: Mapping[str, str] | None = None


Body = Callable[[Refusal], Any]


class Family:
    """The operations below `prefix`, their OpenAPI document, and how refusals are worded there.

    `invalid` is the status of a body or a parameter that is not accepted, and `wrong_field` that of a body with a
    wrong field, where it is another; `refusal` is the schema of what `body` words.
    """

    def __init__(
        self,
        title: str,
        routers: Sequence[Router],
        *,
        prefix: str,
        body: Body,
        refusal: openapi.RefusalSchema,
        invalid: int,
        max_body_bytes: int,
        wrong_field: int | None = None,
    ) -> None:
        self.title = title
        self.prefix = prefix
        self.max_body_bytes = max_body_bytes
        self.operations = [operation for router in routers for operation in router.operations]
        self._body = body
        self._refusal_schema = refusal
        self._invalid = invalid
        self._wrong_field = wrong_field or invalid
        pages = self._pages().operations if prefix else []
        self._directory = Directory([*self.operations, *pages])

    def find(self, method: str, path: str) -> Found | None:
        """The operation at a path below the prefix, or the methods that the path takes; None if there is neither."""
        return self._directory.find(method, path)

    def openapi(self) -> dict[str, Any]:
        """The family's OpenAPI document, made once: its operations do not change."""
        return self._document

    @cached_property
    def _document(self) -> dict[str, Any]:
        plain = get_openapi(
            title=self.title,
            version=__version__,
            routes=self.operations,
            servers=[{"url": self.prefix}] if self.prefix else None,
        )
        return openapi.complete(
            plain,
            self.operations,
            self.prefix,
            invalid=self._invalid,
            wrong_field=self._wrong_field,
            refusal=self._refusal_schema,
        )

    def _pages(self) -> Router:
        pages = Router(include_in_schema=False)

        @pages.get("/openapi.json")
        def get_openapi_document() -> JSONResponse:
            return JSONResponse(self.openapi())

        @pages.get("/docs")
        def show_operations() -> HTMLResponse:
            return HTMLResponse(self._reference, headers=reference.HEADERS)

        return pages

    @cached_property
    def _reference(self) -> str:
        return reference.render(self.openapi(), self.prefix)

    def refuse(
        self, status: int, *, sentence: str = "", headers: Mapping[str, str] | None = None
    ) -> JSONResponse:
        """A refusal in the words of this family."""
        known = _SENTENCES.get(HTTPStatus(status), HTTPStatus(status).phrase)
        return self._answer(Refusal(status, sentence or known, headers=headers))

    def answer(self, error: Exception, request: Request) -> JSONResponse | None:
        """The answer to an error that the caller can act on; None for a failure of ours."""
        match error:
            case Problem():
                return self._refused(error)
            case RequestValidationError():
                return self._malformed(error)
            case HTTPException():
                status = self._invalid if error.status_code == 400 else error.status_code
                return self.refuse(
                    status, sentence=_SENTENCES.get(HTTPStatus(error.status_code), ""), headers=error.headers
                )
            case OperationalError():
                reason = str(getattr(error, "orig", error)).strip().partition("\n")[0]
                _log.warning("the database did not answer", reason=reason, request_id=request_id(request))
                return self.refuse(503, sentence=_BUSY, headers={"Retry-After": "1"})
            case DataError():
                # The shared input types keep such values out; this is the second lock.
                return self.refuse(self._invalid, sentence="A value is out of the range that can be stored.")
        return None

    def fail(self, request: Request) -> JSONResponse:
        """The answer to a request that met a failure of ours."""
        return self.refuse(500, sentence=failure_sentence(request_id(request)))

    def _refused(self, problem: Problem) -> JSONResponse:
        status = self._invalid if problem.status == 400 else problem.status
        waits = {"Retry-After": str(problem.retry_after)} if status in {429, 503} else {}
        headers = {**waits, **problem.headers}
        return self._answer(Refusal(status, problem.message, problem.faults, problem, headers))

    def _malformed(self, error: RequestValidationError) -> JSONResponse:
        faults = [_fault(entry) for entry in error.errors()[:_MOST_FAULTS]]
        message = f"{faults[0].field}: {faults[0].problem}" if faults else "The request is malformed."
        is_of_fields = all(map(_is_of_a_field, error.errors()))
        return self._answer(Refusal(self._wrong_field if is_of_fields else self._invalid, message, faults))

    def _answer(self, refusal: Refusal) -> JSONResponse:
        return JSONResponse(self._body(refusal), refusal.status, headers=dict(refusal.headers or {}))


def _is_of_a_field(entry: Mapping[str, Any]) -> bool:
    return entry["loc"][0] == "body" and len(entry["loc"]) > 1 and entry["type"] != "json_invalid"


def _fault(entry: Mapping[str, Any]) -> Fault:
    # The context is not passed on: it may echo what was sent in the midst of a sentence.
    place = [str(part) for part in entry["loc"] if part not in {"body", "query", "path", "header"}]
    problem = "must be valid JSON" if entry["type"] == "json_invalid" else str(entry["msg"])
    name = ".".join(place) or str(entry["loc"][0])
    return Fault(name, problem.removeprefix("Value error, "), entry.get("input"))
