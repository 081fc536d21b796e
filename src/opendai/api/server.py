"""The path of every request, in one pass: its guards, its operation, its caller, its body, and its answer."""

import contextlib
import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from sqlalchemy.orm import Session
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from opendai.api.bodies import judge_body, read_body, replay
from opendai.api.dialect import Family
from opendai.api.edge import Edge, PageAccess, SecurityHeaders
from opendai.api.requests import LogLine, give_id
from opendai.database import Database
from opendai.parts import SESSION, Parts
from opendai.wire.routing import Found, Operation

Lifespan = Callable[[], contextlib.AbstractAsyncContextManager[None]]
_SLASHES = re.compile("//+")


@dataclass(slots=True)
class State:
    """The content of `request.app.state`."""

    parts: Parts


class Server:
    """The ASGI application: all families, side by side.

    `plain` has the addresses that belong to no family, and answers for every address that is nobody's. `oldest` has
    the one address that lies inside another family's prefix.
    """

    def __init__(
        self,
        parts: Parts,
        families: Sequence[Family],
        *,
        plain: Family,
        oldest: Family,
        lifespan: Lifespan,
    ) -> None:
        self.state = State(parts)
        self.families = tuple(families)
        self.lifespan = lifespan
        self._plain = plain
        self._oldest = {operation.path: oldest for operation in oldest.operations}
        self._by_length = sorted(families, key=lambda family: len(family.prefix), reverse=True)
        settings = parts.settings
        self._edge = Edge(settings.hosts)
        self._headers = SecurityHeaders(is_https=settings.public_url.startswith("https:"))
        self._inner = self._answer
        if settings.cors_origins:
            # Callers bring a token and no cookie, so a browser has nothing of its own to send along.
            self._inner = PageAccess(
                self._answer,
                allow_origins=settings.cors_origins,
                allow_credentials=False,
                allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
                expose_headers=["Location", "Retry-After", "X-Request-ID"],
            ).__call__

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        if scope["type"] == "http":
            await self._surround(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _surround(self, scope: Scope, receive: Receive, send: Send) -> None:
        identity = give_id(scope).encode()
        line = LogLine(Request(scope))
        status = 0

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                message["headers"] = [
                    *headers,
                    *self._headers.missing(headers),
                    (b"x-request-id", identity),
                ]
            await send(message)

        try:
            wrong = self._edge.find_fault(scope)
            if wrong is None:
                await self._inner(scope, receive, send_guarded)
            else:
                refusal = self._family_at(scope["path"]).refuse(400, sentence=wrong)
                await refusal(scope, receive, send_guarded)
        except ClientDisconnect:
            # Nobody is there to be answered, and nothing of ours failed.
            status = status or 499
        except Exception:  # noqa: BLE001 - it is logged, and answered if nothing was
            line.write_failure()
            # Raised further it would be logged again, and answered without the id.
            if not status:
                failure = self._family_at(scope["path"]).fail(Request(scope))
                await failure(scope, receive, send_guarded)
            return
        line.write(status)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        family, found = self._locate(scope["method"], scope["path"])
        if found is None:
            await family.refuse(404)(scope, receive, send)
        elif found.operation is None:
            allowed = ", ".join(sorted(found.methods))
            await family.refuse(405, headers={"Allow": allowed})(scope, receive, send)
        else:
            scope["path_params"] = dict(found.parameters)
            await self._perform(family, found.operation, scope, receive, send)

    def _locate(self, method: str, path: str) -> tuple[Family, Found | None]:
        """The family of a path and what is there; slashes too many are forgiven where nothing else is meant."""
        family = self._family_at(path)
        found = family.find(method, path.removeprefix(family.prefix) or "/")
        tidy = _SLASHES.sub("/", path).removesuffix("/")
        if found is None and tidy not in {"", path}:
            return self._locate(method, tidy)
        return family, found

    async def _perform(
        self, family: Family, operation: Operation, scope: Scope, receive: Receive, send: Send
    ) -> None:
        request = Request(scope, receive)
        answered = _Answer(send)
        try:
            # The caller first: a stranger's body is not even read.
            if operation.policy is not None:
                await operation.policy(request)
            body = await read_body(scope, receive, most=operation.max_body_bytes or family.max_body_bytes)
            if operation.is_plain:
                await self._run_plain(operation, scope, receive, body, answered.keep)
            else:
                judge_body(operation, scope, body)
                await operation.application(scope, replay(body, receive), answered.send)
        except Exception as error:
            refusal = None if answered.has_begun else family.answer(error, request)
            if refusal is None:
                raise
            await refusal(scope, receive, send)
        else:
            await answered.send_kept()

    async def _run_plain(
        self, operation: Operation, scope: Scope, receive: Receive, body: bytes, keep: Send
    ) -> None:
        database = self.state.parts.database

        def run() -> None:
            judge_body(operation, scope, body)
            with _session_for(operation, database) as session:
                scope[SESSION] = session
                _finish(operation.application(scope, replay(body, receive), keep))

        if operation.is_quick and database.is_sqlite:
            run()
        else:
            await database.run(run, writes=operation.uses_session and not operation.is_reading)

    def _family_at(self, path: str) -> Family:
        if path in self._oldest:
            return self._oldest[path]
        for family in self._by_length:
            if path.startswith(family.prefix) and path[len(family.prefix) : len(family.prefix) + 1] in {
                "",
                "/",
            }:
                return family
        return self._plain

    async def _live(self, receive: Receive, send: Send) -> None:
        """Speak the lifespan protocol of ASGI."""
        await receive()
        begun = False
        try:
            async with self.lifespan():
                begun = True
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except BaseException as error:
            stage = "shutdown" if begun else "startup"
            await send({"type": f"lifespan.{stage}.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.shutdown.complete"})


class _Answer:
    """The answer of an operation: kept until its transaction is over, or sent as it comes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._kept: list[Message] = []
        self.has_begun = False

    async def keep(self, message: Message) -> None:
        self._kept.append(message)

    async def send(self, message: Message) -> None:
        self.has_begun = True
        await self._send(message)

    async def send_kept(self) -> None:
        for message in self._kept:
            await self._send(message)


def _session_for(
    operation: Operation, database: Database
) -> contextlib.AbstractContextManager[Session | None]:
    if not operation.uses_session:
        return contextlib.nullcontext()
    return database.reading() if operation.is_reading else database.writing()


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that has nothing to wait for, without an event loop."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("A plain operation waited for something: make it an async def.")
