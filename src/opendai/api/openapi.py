"""Adds to FastAPI's page of a family: tokens, refusals in the family's words, and examples of real answers."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from opendai.auth import basic, callers
from opendai.auth.callers import Anyone

Document = dict[str, Any]
# The JSON schema of a refusal, by its status.
RefusalSchema = Callable[[int], Document]

_MEANINGS = {
    401: "There is no token, or it is invalid or has timed out.",
    402: "The licenses allow no more of these.",
    403: "The caller has not the rights for this.",
    404: "There is no such thing, or none that the caller may know of.",
    409: "It contradicts what is stored.",
    413: "The body is larger than this address accepts.",
    429: "Too many at once; the header Retry-After says how many seconds to wait.",
}
_BAD_INPUT = "A parameter or the body cannot be accepted."
_WRONG_FIELD = "A field of the body cannot be accepted."
# The library writes its own words for these bounds where a validator stands in front of them.
_BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


def complete(
    document: Document,
    operations: Sequence[APIRoute],
    prefix: str,
    *,
    invalid: int,
    wrong_field: int,
    refusal: RefusalSchema,
) -> Document:
    """The document with security, every status that a route can answer, and an example of each real answer.

    `invalid` is the family's status for bad input, and `wrong_field` that for a field of a body, where it is
    another. Statuses that a route declares itself get their body here.
    """
    document = _with_known_bounds(deepcopy(document))
    document.setdefault("components", {})["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer {token}`"}
    }
    for route in operations:
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            _add_refusals(operation, route, invalid=invalid, wrong_field=wrong_field, refusal=refusal)
            _add_examples(operation, _examples().get(f"{method} {prefix}{route.path_format}", {}))
    return document


def _add_refusals(
    operation: Document, route: APIRoute, *, invalid: int, wrong_field: int, refusal: RefusalSchema
) -> None:
    policies = _calls(route.dependant) & (callers.POLICIES | basic.POLICIES)
    if policies:
        operation["security"] = [{"bearer": []}]
    has_body = "requestBody" in operation
    answers = operation["responses"]
    answers.pop("422", None)
    if has_body:
        answers[str(wrong_field)] = {"description": _WRONG_FIELD}
        answers.setdefault("413", {"description": _MEANINGS[413]})
    if has_body or operation.get("parameters"):
        answers.setdefault(str(invalid), {"description": _BAD_INPUT})
    if "security" in operation:
        answers.setdefault("401", {"description": _MEANINGS[401]})
    if policies - {_policy(Anyone)}:
        answers.setdefault("403", {"description": _MEANINGS[403]})
    if "{" in route.path_format:
        answers.setdefault("404", {"description": _MEANINGS[404]})
    for status, answer in answers.items():
        if int(status) >= 400:
            if answer["description"] == HTTPStatus(int(status)).phrase:  # The route has no words of its own.
                answer["description"] = _MEANINGS[int(status)]
            # A route for people answers a page; every other refusal is in the family's words.
            answer.setdefault("content", {"application/json": {"schema": refusal(int(status))}})
    operation["responses"] = dict(sorted(answers.items()))


def _add_examples(operation: Document, known: Mapping[str, Any]) -> None:
    if "request" in known:
        for content in operation["requestBody"]["content"].values():
            content["example"] = known["request"]
    if "response" in known:
        success = next(answer for status, answer in operation["responses"].items() if int(status) < 400)
        success["content"]["application/json"]["example"] = known["response"]


@cache
def _examples() -> dict[str, Any]:
    """Requests and answers that were really given, by method and path; the tests of the contract keep them."""
    text = resources.files("opendai.api").joinpath("examples.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _calls(dependant: Dependant) -> set[Any]:
    found: set[Any] = {dependant.call}
    for inner in dependant.dependencies:
        found |= _calls(inner)
    return found


def _policy(annotation: Any) -> Any:
    return annotation.__metadata__[0].dependency


def _with_known_bounds(part: Any) -> Any:
    if isinstance(part, dict):
        is_number = part.get("type") in (
            "integer",
            "number",
        )  # A field may be called "type": then it is a dict.
        return {
            _BOUNDS.get(key, key) if is_number else key: _with_known_bounds(value)
            for key, value in part.items()
        }
    return [_with_known_bounds(value) for value in part] if isinstance(part, list) else part
