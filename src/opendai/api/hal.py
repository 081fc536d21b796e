"""AI servers as Squash TM publishes them: HAL, and 412 for what breaks a rule."""

import math
from typing import Any

from opendai.api.dialect import Family, Refusal
from opendai.errors import Fault
from opendai.resources.ai_servers import generation_routes, routes
from opendai.resources.ai_servers.schemas import CREDENTIALS_TYPE, PREFIX
from opendai.settings import Settings
from opendai.wire.inputs import LARGEST_ID

__all__ = ["PREFIX", "create", "worded"]

_BROKEN_RULE = 412
_CREDENTIALS = {"_type", "token"}
_GENERATION = {"requirement", "model_id", "proposals"}
_LONGEST_VALUE = 255


def create(settings: Settings) -> Family:
    return Family(
        "opendai: AI servers",
        [routes.router, generation_routes.router],
        prefix=PREFIX,
        body=worded,
        refusal=_refusal,
        invalid=400,
        wrong_field=_BROKEN_RULE,
        max_body_bytes=settings.max_body_bytes,
    )


def worded(refusal: Refusal) -> Any:
    """The body of a refusal."""
    if refusal.status != _BROKEN_RULE:
        return {"message": refusal.message}
    if refusal.faults:
        errors = [_field_error(fault) for fault in refusal.faults]
        return {"fieldValidationErrors": errors, "message": refusal.message}
    name = type(refusal.problem).__name__
    return {
        "actionValidationError": {"exception": name, "message": refusal.message},
        "message": refusal.message,
    }


def _field_error(fault: Fault) -> dict[str, Any]:
    is_secret = fault.field in _CREDENTIALS
    named = "generation" if fault.field.partition(".")[0] in _GENERATION else "ai-server"
    return {
        "objectName": CREDENTIALS_TYPE if is_secret else named,
        "fieldName": fault.field,
        "fieldValue": None if is_secret else _repeated(fault.value),
        "errorMessage": fault.problem,
    }


def _repeated(value: object) -> object:
    """A short and plain value as it was sent; null for any other, which JSON might not be able to say."""
    match value:
        case str() if len(value) <= _LONGEST_VALUE and value.isprintable():
            return value
        case bool():
            return value
        case int() if abs(value) <= LARGEST_ID:
            return value
        case float() if math.isfinite(value):
            return value
    return None


def _refusal(status: int) -> dict[str, Any]:
    text = {"type": "string"}
    properties: dict[str, Any] = {"message": text}
    if status == _BROKEN_RULE:
        fault = {
            "type": "object",
            "properties": {"objectName": text, "fieldName": text, "fieldValue": {}, "errorMessage": text},
            "required": ["objectName", "fieldName", "fieldValue", "errorMessage"],
        }
        action = {
            "type": "object",
            "properties": {"exception": text, "message": text},
            "required": ["exception", "message"],
        }
        properties["fieldValidationErrors"] = {"type": "array", "items": fault}
        properties["actionValidationError"] = action
    return {"type": "object", "properties": properties, "required": ["message"]}
