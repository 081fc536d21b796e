"""What guards every answer, whichever family gives it: the Host header, and headers for browsers."""

import re
from collections.abc import Callable

from starlette.datastructures import Headers as RequestHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Refuse = Callable[[Scope], Response]

# Load balancers and orchestrators ask these by whatever address the machine has.
_CHECKS = frozenset({"/healthz", "/readyz"})
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_YEAR_SECONDS = 31_536_000

Headers = list[tuple[bytes, bytes]]

_ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    # Requests with an Origin that is allowed are not subject to it.
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
# A page that has a policy of its own also says itself who may frame it.
_WITHOUT_POLICY: Headers = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
]


class HostCheck:
    """Refuses names that the server does not have: a page cannot reach it by pointing its own name here."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], refuse: Refuse) -> None:
        self._app = app
        self._hosts = hosts
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _CHECKS or self._is_ours(scope["headers"]):
            await self._app(scope, receive, send)
        else:
            await self._refuse(scope)(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        given = [value for name, value in headers if name == b"host"]
        host = _HOST.fullmatch(given[0]) if len(given) == 1 else None
        return host is not None and host[1].decode().lower() in self._hosts


class PageAccess(CORSMiddleware):
    """Lets pages of other origins read the answers; what an answer says of that itself stays."""

    async def send(self, message: Message, send: Send, request_headers: RequestHeaders) -> None:
        if any(name == b"access-control-allow-origin" for name, _ in message.get("headers", ())):
            await send(message)
        else:
            await super().send(message, send, request_headers)


class SecurityHeaders:
    """Adds what keeps a browser from doing more with an answer than is meant; what an answer says itself stays."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        secure: Headers = [(b"strict-transport-security", f"max-age={_YEAR_SECONDS}".encode())]
        self._always = _ALWAYS + (secure if is_https else [])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._completed(message["headers"])
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _completed(self, headers: Headers) -> Headers:
        given = {name for name, _ in headers}
        fallback = self._always
        if b"content-security-policy" not in given:
            fallback = fallback + _WITHOUT_POLICY
        return [*headers, *(header for header in fallback if header[0] not in given)]
