"""Calls of an AI server: the request, the answer, and the stage that failed."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from opendai import tables
from opendai.credentials.secrets import SecretKey, SecretKeyProblem
from opendai.errors import PreconditionFailed
from opendai.outbound import http
from opendai.outbound.http import Answer, CallFailed, Outbound
from opendai.outbound.targets import Target
from opendai.resources.ai_servers.paths import parse_path, value_at
from opendai.resources.ai_servers.proposals import Draft, ShapeError, read_drafts, storable
from opendai.resources.ai_servers.repository import place_of
from opendai.resources.ai_servers.templates import fill

Stage = (
    http.Stage
    | Literal["template", "credentials", "model", "status", "JSON", "json_path", "answer shape", "attempts"]
)

DEADLINE_SECONDS = 60
MASK = "***"
_LONGEST_TEXT = 1 << 18
_MOST_TOKENS = 100_000
# A shorter token is part of many words; no provider issues one.
_SHORTEST_MASKED = 8
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{,]', re.DOTALL)
# A server that answers with one of these may succeed a moment later.
_PASSING = {429, 502, 503, 504}
_PAUSE_SECONDS = 5
_LONGEST_PAUSE_SECONDS = 120


class StageFailed(Exception):  # noqa: N818 - it is an outcome, and told as one
    """The call did not get past one of its stages.

    `pause_seconds` is how long to wait before it is worth asking again; None if it is not.
    """

    def __init__(self, stage: Stage, reason: str, *, pause_seconds: int | None = None) -> None:
        super().__init__(reason)
        self.stage: Stage = stage
        self.reason = reason
        self.pause_seconds = pause_seconds


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it is shown, with a mask in place of the token."""

    url: str
    headers: Sequence[tuple[str, str]]
    payload: str


@dataclass(slots=True)
class Outcome:
    """The result of a call. The fields of the stages after a failure stay empty."""

    sent: Sent | None = None
    status: int | None = None
    text: str | None = None
    drafts: list[Draft] = field(default_factory=list)
    failure: StageFailed | None = None


class ServerCalls:
    """Asks AI servers. A call holds neither a session nor a thread of the requests."""

    def __init__(self, outbound: Outbound, secret_key: SecretKey) -> None:
        self._outbound = outbound
        self._secret_key = secret_key

    def ask(self, server: tables.AiServer, *, requirement: str, model: str = "") -> Outcome:
        """The outcome of one call; the row must have been read with its token."""
        outcome = Outcome()
        try:
            self._ask(server, requirement, model, outcome)
        except StageFailed as failure:
            outcome.failure = failure
        return outcome

    def _ask(self, server: tables.AiServer, requirement: str, model: str, outcome: Outcome) -> None:
        with _stage("template"):
            payload = _payload(server, requirement, model)
        token = self._token(server)
        outcome.sent = Sent(server.url, _headers(server, token and MASK), payload)
        try:
            answer = self._outbound.exchange(
                "POST",
                server.url,
                headers=_headers(server, token),
                content=payload.encode(),
                deadline_seconds=server.timeout_seconds or DEADLINE_SECONDS,
            )
        except CallFailed as error:
            pause = _PAUSE_SECONDS if error.stage == "connection" else None
            raise StageFailed(error.stage, error.reason, pause_seconds=pause) from error
        outcome.status = answer.status
        _check_status(server, answer)
        text = _text(answer.body, server.json_path or "")
        # A server may repeat the request in its answer, which must not show the token.
        is_masked = len(token) >= _SHORTEST_MASKED
        outcome.text = storable(text.replace(token, MASK) if is_masked else text)
        try:
            outcome.drafts = read_drafts(outcome.text)
        except ShapeError as error:
            raise StageFailed("answer shape", str(error)) from error

    def _token(self, server: tables.AiServer) -> str:
        if server.token is None:
            return ""
        try:
            return self._secret_key.decrypt(server.token, place=place_of(server.id)).decode()
        except SecretKeyProblem as error:
            reason = "The token of the AI server cannot be read with the secret key. Set it again."
            raise StageFailed("credentials", reason) from error


@contextmanager
def _stage(stage: Stage) -> Iterator[None]:
    try:
        yield
    except PreconditionFailed as error:
        raise StageFailed(stage, error.message) from error


def _payload(server: tables.AiServer, requirement: str, model: str) -> str:
    if server.payload_template is None:
        raise PreconditionFailed("The AI server has no payload_template.")
    return fill(server.payload_template, requirement=requirement, model=model)


def _headers(server: tables.AiServer, token: str) -> list[tuple[str, str]]:
    headers = [("Content-Type", "application/json"), ("Accept", "application/json")]
    if token:
        scheme = "Bearer" if server.authentication_scheme is None else server.authentication_scheme
        headers.append((server.authentication_header or "Authorization", f"{scheme} {token}".lstrip()))
    return headers


def _check_status(server: tables.AiServer, answer: Answer) -> None:
    if 200 <= answer.status < 300:
        return
    known = {status.value: f" {status.phrase}" for status in HTTPStatus}
    reason = f"{Target.parse(server.url).address} answered {answer.status}{known.get(answer.status, '')}"
    if 300 <= answer.status < 400:
        raise StageFailed("status", f"{reason}, and redirects are not followed.")
    asked = _retry_after(answer)
    if answer.status not in _PASSING or (asked or 0) > _LONGEST_PAUSE_SECONDS:
        wait = f", and asks to wait {asked} s" if asked else ""
        raise StageFailed("status", f"{reason}{wait}.")
    raise StageFailed("status", f"{reason}.", pause_seconds=_PAUSE_SECONDS if asked is None else asked)


def _retry_after(answer: Answer) -> int | None:
    """The seconds to wait, if the answer names them. A date is ignored, because clocks differ."""
    value = answer.headers.get("retry-after", "")
    return int(value) if re.fullmatch("[0-9]{1,9}", value) else None


def _text(body: bytes, json_path: str) -> str:
    """The text at a path of the answer, or the whole answer if the path is empty."""
    try:
        whole = body.decode()
    except UnicodeDecodeError as error:
        raise StageFailed("JSON", "The answer is not UTF-8.") from error
    text = whole if not json_path else _text_at(_json(whole), json_path)
    if len(text) > _LONGEST_TEXT:
        raise StageFailed("size", f"The text of the answer has more than {_LONGEST_TEXT} characters.")
    return text


def _text_at(answer: Any, json_path: str) -> str:
    with _stage("json_path"):
        value = value_at(answer, parse_path(json_path))
    if isinstance(value, dict | list):
        # Some servers answer with the test cases themselves instead of a text that holds them.
        return json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        raise StageFailed("json_path", f"The answer of the AI server has no text at {json_path}.")
    return value


def _json(text: str) -> Any:
    # The parts are counted first: two megabytes of empty lists would become fifty in memory.
    if sum(1 for _ in zip(_TOKEN.finditer(text), range(_MOST_TOKENS), strict=False)) == _MOST_TOKENS:
        raise StageFailed("size", f"The answer is JSON of more than {_MOST_TOKENS} parts.")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"The answer is no JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        raise StageFailed("JSON", reason) from error
    except (ValueError, RecursionError) as error:
        reason = "The answer is no JSON: it is nested too deeply or holds a number that is too long."
        raise StageFailed("JSON", reason) from error
