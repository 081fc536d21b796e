"""A client of an application in this process.

Starlette's own goes to the server's event loop and back eight times for each request, which took half of the time of
all tests; httpx's looks for another kind of event loop at each one.
"""

import asyncio
from collections.abc import Coroutine, MutableMapping
from typing import Any, TypeVar

import httpx2
from anyio.from_thread import BlockingPortal
from starlette.types import ASGIApp

_Result = TypeVar("_Result")


class TestClient(httpx2.Client):
    """Asks an application that runs in the portal's event loop, and follows no redirects."""

    __test__ = False

    def __init__(
        self, app: ASGIApp, portal: BlockingPortal, *, address: str, base_url: str = "http://testserver"
    ) -> None:
        self._loop = portal.call(asyncio.get_running_loop)
        super().__init__(transport=_Transport(app, self._loop, address), base_url=base_url)

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """The result of work in the event loop of the application."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class _Transport(httpx2.BaseTransport):
    def __init__(self, app: ASGIApp, loop: asyncio.AbstractEventLoop, address: str) -> None:
        self._app = app
        self._loop = loop
        self._address = address

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._answer(request, request.read())
        return asyncio.run_coroutine_threadsafe(answer, self._loop).result()

    async def _answer(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        unread = [{"type": "http.request", "body": body, "more_body": False}]
        is_answered = asyncio.Event()
        status, headers, content = 0, [], []

        async def receive() -> MutableMapping[str, Any]:
            if unread:
                return unread.pop()
            # The client stays for the whole answer.
            await is_answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", ()))
            elif request.method != "HEAD":
                content.append(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                is_answered.set()

        await self._app(self._scope(request), receive, send)
        return httpx2.Response(status, headers=headers, stream=httpx2.ByteStream(b"".join(content)))

    def _scope(self, request: httpx2.Request) -> dict[str, Any]:
        url = request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.split(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": (url.host, url.port),
            "client": (self._address, 50_000),
        }
