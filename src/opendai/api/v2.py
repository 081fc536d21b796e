"""The public API v2. Errors are {"type", "title", "status", "detail"}, and bad input is 422 as FastAPI words it."""

from http import HTTPStatus
from typing import Any

from opendai.api.dialect import Family, Refusal
from opendai.api.refusals import detail, detail_schema
from opendai.resources.api_clients import tokens as client_tokens
from opendai.settings import Settings

PREFIX = "/api/v2"


def create(settings: Settings) -> Family:
    return Family(
        "opendai: public API v2",
        [client_tokens.router],
        prefix=PREFIX,
        body=_problem,
        refusal=_problem_schema,
        invalid=422,
        max_body_bytes=settings.max_body_bytes,
    )


def _problem(refusal: Refusal) -> Any:
    if refusal.status == 422:
        return detail(refusal)
    return {
        "type": "about:blank",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": refusal.message,
    }


def _problem_schema(status: int) -> dict[str, Any]:
    if status == 422:
        return detail_schema(status)
    text = {"type": "string"}
    fields = {"type": text, "title": text, "status": {"type": "integer"}, "detail": text}
    return {"type": "object", "properties": fields, "required": list(fields)}
