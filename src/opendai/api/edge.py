"""The guards of every family: the head of a request, and the headers of an answer for browsers."""

import re

from starlette.datastructures import Headers as RequestHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Message, Scope, Send

# Load balancers and orchestrators ask these by whatever address the machine has.
_CHECKS = frozenset({"/healthz", "/readyz"})
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
# A server in front of this one might read the other of the two.
_SINGLE = (b"host", b"authorization", b"content-type")
_NOT_ITS_NAME = "The Host header names no address of this server."
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


class Edge:
    """Refuses requests whose head has two meanings, and names that the server does not have.

    A page of somebody else cannot reach the server by pointing its own name here.
    """

    def __init__(self, hosts: frozenset[str] | None) -> None:
        self._hosts = hosts

    def find_fault(self, scope: Scope) -> str | None:
        """The fault in the head of a request; None if there is none. Any name does if no names are set."""
        names = [name for name, _ in scope["headers"]]
        for name in _SINGLE:
            if names.count(name) > 1:
                return f"The {name.decode().title()} header is given more than once."
        if self._hosts is None or scope["path"] in _CHECKS:
            return None
        host = _HOST.fullmatch(next((value for name, value in scope["headers"] if name == b"host"), b""))
        is_ours = host is not None and host[1].decode().lower() in self._hosts
        return None if is_ours else _NOT_ITS_NAME


class SecurityHeaders:
    """Keeps a browser from doing more with an answer than is meant; what an answer says itself stays."""

    def __init__(self, *, is_https: bool) -> None:
        secure: Headers = [(b"strict-transport-security", f"max-age={_YEAR_SECONDS}".encode())]
        self._always = _ALWAYS + (secure if is_https else [])
        self._without_policy = self._always + _WITHOUT_POLICY

    def missing(self, headers: Headers) -> Headers:
        """The headers that an answer with these headers still needs."""
        given = {name for name, _ in headers}
        fallback = self._always if b"content-security-policy" in given else self._without_policy
        return [header for header in fallback if header[0] not in given]


class PageAccess(CORSMiddleware):
    """Lets pages of other origins read the answers; what an answer says of that itself stays."""

    async def send(self, message: Message, send: Send, request_headers: RequestHeaders) -> None:
        if any(name == b"access-control-allow-origin" for name, _ in message.get("headers", ())):
            await send(message)
        else:
            await super().send(message, send, request_headers)
