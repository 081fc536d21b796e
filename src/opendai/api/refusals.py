"""How refusals are worded where several families word them alike: {"message", "errors"}, and {"detail"}."""

from typing import Any

from opendai.api.dialect import Refusal


def message(refusal: Refusal) -> Any:
    """The body that DAI 5.2 has."""
    body: dict[str, Any] = {"message": refusal.message}
    if refusal.faults:
        body["errors"] = [{"field": fault.field, "problem": fault.problem} for fault in refusal.faults]
    return body


def message_schema(_status: int) -> dict[str, Any]:
    """The JSON schema of what `message` words."""
    text = {"type": "string"}
    fault = {
        "type": "object",
        "properties": {"field": text, "problem": text},
        "required": ["field", "problem"],
    }
    return {
        "type": "object",
        "properties": {"message": text, "errors": {"type": "array", "items": fault}},
        "required": ["message"],
    }


def detail(refusal: Refusal) -> Any:
    """The body that FastAPI has: one sentence, and at 422 a list of what is wrong where."""
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
