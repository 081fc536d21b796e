"""The body of a request: read within a limit, and judged before anything parses it."""

import json
import re
from typing import Any

from fastapi import params
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from opendai.errors import TooLarge, UnsupportedMediaType
from opendai.wire.routing import Operation

TOO_LARGE = "The body is larger than this address accepts."
_MOST_PARTS = 200_000
# A string, or a sign that begins another value. Possessive, so that no text makes it try twice.
_PART = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{,]', re.DOTALL)
_JSON_TYPE = re.compile(r"application/([\w.-]+\+)?json", re.ASCII)
# The types that command-line clients name when nobody told them another one.
_UNCHOSEN_TYPES = frozenset({"", "application/x-www-form-urlencoded", "text/plain"})


async def read_body(scope: Scope, receive: Receive, *, most: int) -> bytes:
    """The body of a request; TooLarge as soon as it is known to exceed the limit."""
    said = header(scope, b"content-length")
    if said.isdigit() and int(said) > most:
        raise TooLarge(TOO_LARGE)
    chunks: list[bytes] = []
    size, is_more = 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise TooLarge(TOO_LARGE)
        chunks.append(chunk)
        is_more = message.get("more_body", False)
    return b"".join(chunks)


def replay(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the body that was read, and then what comes after it."""
    unread = [body]

    async def receive_again() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return receive_again


def judge_body(operation: Operation, scope: Scope, body: bytes) -> None:
    """Let a body pass that the operation may parse.

    JSON is UTF-8 (RFC 8259, 8.1) and has a limited number of parts, because a small text can become a large tree.
    Where an operation takes JSON, a text that plainly is JSON counts as JSON under the type that a client sends when
    nobody chose one: the published pages show such requests.
    """
    given = header(scope, b"content-type").decode("latin-1").partition(";")[0].strip().lower()
    is_named_json = _JSON_TYPE.fullmatch(given) is not None
    is_plainly_json = body.lstrip()[:1] in {b"{", b"["}
    if is_named_json or is_plainly_json:
        _bound_json(body)
    if not body or is_named_json or not takes_json(operation):
        return
    if not (is_plainly_json and given in _UNCHOSEN_TYPES):
        raise UnsupportedMediaType("The body must be application/json.")
    scope["headers"] = [
        *((name, value) for name, value in scope["headers"] if name != b"content-type"),
        (b"content-type", b"application/json"),
    ]


def takes_json(operation: Operation) -> bool:
    """Whether FastAPI itself parses the body of this operation, as JSON."""
    return operation.body_field is not None and not isinstance(operation.body_field.field_info, params.Form)


def header(scope: Scope, name: bytes) -> bytes:
    """The first header of this name; empty if there is none."""
    found: bytes = next((value for key, value in scope["headers"] if key == name), b"")
    return found


def _bound_json(body: bytes) -> None:
    if not json.detect_encoding(body).startswith("utf-8"):
        raise _unreadable("the body is not UTF-8")
    # A part has at least one byte, so the parts of most bodies need not be counted.
    if len(body) < _MOST_PARTS:
        return
    if sum(1 for _ in zip(_PART.finditer(body), range(_MOST_PARTS), strict=False)) == _MOST_PARTS:
        raise _unreadable(f"the body has more than {_MOST_PARTS} parts")


def _unreadable(why: str) -> RequestValidationError:
    entry: dict[str, Any] = {"type": "value_error", "loc": ("body",), "msg": why, "input": None}
    return RequestValidationError([entry])
