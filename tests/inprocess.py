"""A client of an application in this process.

Starlette's own goes to the server's event loop and back eight times for each request, which took half of the time of
all tests.
"""

import httpx2
from anyio.from_thread import BlockingPortal
from starlette.types import ASGIApp


class TestClient(httpx2.Client):
    """Asks an application that runs in the portal's event loop, and follows no redirects."""

    __test__ = False

    def __init__(
        self, app: ASGIApp, portal: BlockingPortal, *, address: str, base_url: str = "http://testserver"
    ) -> None:
        super().__init__(transport=_Transport(app, portal, address), base_url=base_url)


class _Transport(httpx2.BaseTransport):
    def __init__(self, app: ASGIApp, portal: BlockingPortal, address: str) -> None:
        self._app = httpx2.ASGITransport(app, client=(address, 50_000))
        self._portal = portal

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._portal.call(self._answer, request)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._app.handle_async_request(request)
        body = httpx2.ByteStream(await answer.aread())
        return httpx2.Response(answer.status_code, headers=answer.headers.raw, stream=body)
