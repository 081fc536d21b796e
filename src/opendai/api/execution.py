"""Executions as DAI 6.5 and later publish them. Errors are {"detail"}, and bad input is 422 as FastAPI words it."""

from typing import Any

from opendai.api.dialect import Family, Refusal, build
from opendai.resources.executions import routes
from opendai.settings import Settings

PREFIX = "/execution_service/api/v1"


def create(settings: Settings) -> Family:
    return build(
        "opendai: execution service",
        [routes.router],
        prefix=PREFIX,
        body=detail,
        refusal=detail_schema,
        invalid=422,
        max_body_bytes=settings.max_body_bytes,
    )


def detail(refusal: Refusal) -> Any:
    if refusal.status == 422:
        faults = refusal.faults
        if not faults:
            return {"detail": [{"loc": ["body"], "msg": refusal.message, "type": "value_error"}]}
        return {
            "detail": [
                {"loc": ["body", *fault.field.split(".")], "msg": fault.problem, "type": "value_error"}
                for fault in faults
            ]
        }
    return {"detail": refusal.message}


def detail_schema(status: int) -> dict[str, Any]:
    """The JSON schema of what `detail` words."""
    text = {"type": "string"}
    place = {"type": "array", "items": {"anyOf": [text, {"type": "integer"}]}}
    fault = {
        "type": "object",
        "properties": {"loc": place, "msg": text, "type": text},
        "required": ["loc", "msg", "type"],
    }
    content = {"type": "array", "items": fault} if status == 422 else text
    return {"type": "object", "properties": {"detail": content}, "required": ["detail"]}
