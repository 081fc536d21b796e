"""Requests of the OAuth endpoints: their forms, and their refusals by RFC 6749."""

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.exceptions import HTTPException

from opendai.errors import Problem

ENDPOINTS = "/realms/{realm}/protocol/openid-connect"
LARGEST_FORM = 16_384
_LONGEST_FIELD = 4096
_FORM = "application/x-www-form-urlencoded"
_NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class GrantRefused(Problem):
    """A refusal by RFC 6749: a code for programs and a sentence for people."""

    def __init__(self, code: str, message: str, *, status: int = 400, challenge: str | None = None) -> None:
        challenges = {"WWW-Authenticate": challenge} if challenge else {}
        super().__init__(message, headers={**_NOT_STORED, **challenges})
        self.code = code
        self.status = status


def is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM


async def read_form(request: Request) -> dict[str, str]:
    """The parameters that are not empty. Each may occur once."""
    if not is_form(request):
        raise GrantRefused("invalid_request", f"The body must be {_FORM}.")
    try:
        async with request.form(max_files=0, max_fields=50) as form:
            pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str) and value]
    except HTTPException as error:
        raise GrantRefused("invalid_request", "The form is malformed.") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise GrantRefused("invalid_request", "A parameter is repeated.")
    if any(len(value) > _LONGEST_FIELD or "\0" in value for value in fields.values()):
        raise GrantRefused("invalid_request", "A parameter is too long or contains NUL.")
    return fields


def describe_form(*names: str, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """The OpenAPI description of such a form."""
    properties = {name: {"type": "string"} for name in names}
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"requestBody": {"required": bool(required), "content": {_FORM: {"schema": schema}}}}


async def _not_stored(response: Response) -> None:
    response.headers.update(_NOT_STORED)


Fields = Annotated[dict[str, str], Depends(read_form)]
NOT_STORED = Depends(_not_stored)
