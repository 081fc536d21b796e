"""Servers with settings of their own, for what guards every answer."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from opendai.api.server import Server
from opendai.app import create_app
from opendai.installation import install
from opendai.settings import Settings
from tests.inprocess import TestClient

FAMILIES = {
    "/ai/nowhere": "message",
    "/auth/nowhere": "error",
    "/execution_service/api/v1/nowhere": "detail",
    "/agent_service/api/v1/nowhere": "detail",
    "/files/nowhere": "detail",
    "/nowhere": "detail",
}
DENIED = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
}
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edge")
    install(Settings(data_dir=folder, admin_password="correct horse battery staple"))
    return folder


@pytest.fixture(scope="module")
def asking(installed: Path, server_loop: BlockingPortal) -> Iterator[Callable[..., TestClient]]:
    """Gives a client of a server with these settings; it asks for no data, so one database will do."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def serve(**settings: Any) -> Server:
            configured = Settings(data_dir=installed, threads=2, **settings)
            app = create_app(configured.reached_at("http://localhost:8000"))
            stack.callback(app.state.parts.database.close)
            stack.callback(app.state.parts.store.close)
            return app

        def ask(*, peer: str = "testclient", **settings: Any) -> TestClient:
            return TestClient(serve(**settings), server_loop, address=peer, base_url="http://dai.example.com")

        yield ask
