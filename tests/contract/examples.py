"""The examples on the OpenAPI pages are requests and answers of the cases, with what changes each time replaced.

With OPENDAI_RECORD_EXAMPLES=1 the cases write them anew, in one process; otherwise they must be as they are written.
"""

import json
import os
import re
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

IS_RECORDING = os.environ.get("OPENDAI_RECORD_EXAMPLES") == "1"

_FILE = Path(str(resources.files("opendai.api").joinpath("examples.json")))
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# The AI servers' times have milliseconds; the others' have microseconds, or none where these are nought.
_MOMENT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00")
_MILLIMOMENT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")
_TOKEN = re.compile(r"[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}")
_CHANGING = {
    "exp": 1795343400,
    "iat": 1795343100,
    "rand": 1234567890,
    "address": "203.0.113.7",
    "total_execution_time_secs": 1.5,
    "refresh_token": (
        "eyJhbGciOiAiSFMyNTYiLCAidHlwIjogIkpXVCJ9."
        "eyJ0eXAiOiAiUmVmcmVzaCIsICJzaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxIiwgImdlbmVyYXRpb24iOiAwfQ.c2VhbA"
    ),
    "form_state": "what-the-page-carried",
    "kid": "5f1c8e0b6a4d4c7f9e2b3a1d0c9f8e7d",
    "n": "the-modulus-of-the-key",
    "public_key": "the-public-half-of-the-key",
    "client_secret": "the-secret-that-was-shown-once",
}
_JSON = {"application/json", "application/hal+json"}
_MOMENT_SHOWN = "2026-11-22T09:30:00.120000+00:00"
_MILLIMOMENT_SHOWN = "2026-11-22T09:30:00.120+00:00"
_TOKEN_SHOWN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyOjIifQ.c2lnbmF0dXJl"


def check(operation: str, response: Any) -> None:
    """The example on the page is this request and this answer."""
    example = example_of(response)
    if IS_RECORDING:
        text = json.dumps(
            dict(sorted({**written(), operation: example}.items())), indent=1, ensure_ascii=False
        )
        _FILE.write_text(text + "\n", encoding="utf-8")
    assert written()[operation] == example


def example_of(response: Any) -> dict[str, Any]:
    """A request and its answer as an example shows them: without what is not JSON."""
    seen: dict[str, str] = {}
    found = {}
    body = _body(response.request)
    if body is not None:
        found["request"] = _steady(body, seen)
    is_json = response.content and response.headers.get("content-type") in _JSON
    if response.status_code < 300 and is_json:
        found["response"] = _steady(response.json(), seen)
    return found


def written() -> dict[str, Any]:
    """The examples as the pages show them, by method and path."""
    examples: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return examples


def _body(request: Any) -> Any:
    # The body that some clients send with DELETE is not read.
    kind = request.headers.get("content-type", "")
    if request.method == "DELETE" or not request.content or kind == "application/msgpack":
        return None
    if kind == "application/json":
        return json.loads(request.content)
    return dict(parse_qsl(request.content.decode()))


def _steady(value: Any, seen: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _shown(key, inner, seen) for key, inner in value.items()}
    if isinstance(value, list):
        return [_steady(inner, seen) for inner in value]
    if not isinstance(value, str):
        return value
    value = _UUID.sub(lambda found: seen.setdefault(found[0], str(UUID(int=len(seen) + 1, version=4))), value)
    value = _MILLIMOMENT.sub(_MILLIMOMENT_SHOWN, _MOMENT.sub(_MOMENT_SHOWN, value))
    return _TOKEN.sub(_TOKEN_SHOWN, value)


def _shown(key: str, inner: Any, seen: dict[str, str]) -> Any:
    if key == "expires_in":
        # The rest of a lifetime depends on when the example was made.
        whole = 60 if inner <= 600 else 3600
        return -(-inner // whole) * whole
    # A field of one name may be a number in one answer and text in another.
    shown = _CHANGING.get(key)
    if shown is None or isinstance(shown, str) != isinstance(inner, str):
        return _steady(inner, seen)
    return shown
