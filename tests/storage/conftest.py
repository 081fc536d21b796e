"""Each adapter of the object store, with a way to fetch its links as a browser would."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from opendai.errors import Problem
from opendai.storage import FileStore, ObjectStore, SignedLinks, open_store
from opendai.storage.s3 import S3Store
from tests.services import S3Server

PUBLIC_URL = "http://opendai.test"
SIGNING_KEY = bytes(range(32))


@dataclass
class Adapter:
    """A store to test; `link_parameters` says how its links spell what every link holds."""

    store: ObjectStore
    fetch: Callable[[str], httpx.Response]
    turn_back_clock: Callable[[int], None]
    link_parameters: dict[str, str]


@pytest.fixture
def file_store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store", SignedLinks(PUBLIC_URL, SIGNING_KEY))


@pytest.fixture(scope="session")
def bucket(s3_server: S3Server) -> str:
    name = s3_server.bucket()
    store = open_s3(s3_server, name)
    store.prepare()
    store.close()
    return name


@pytest.fixture(scope="session")
def connected_s3_store(s3_server: S3Server, bucket: str) -> Iterator[S3Store]:
    """Connected once, since boto3 takes a tenth of a second for it."""
    store = open_s3(s3_server, f"{bucket}/shared/prefix")
    yield store
    store.close()


@pytest.fixture
def s3_store(connected_s3_store: S3Store) -> Iterator[S3Store]:
    """Empty for each test."""
    yield connected_s3_store
    for key in connected_s3_store.keys(""):
        connected_s3_store.delete(key)


@pytest.fixture(params=["files", "s3"])
def adapter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Adapter:
    if request.param == "s3":
        return Adapter(
            store=request.getfixturevalue("s3_store"),
            fetch=lambda url: httpx.get(url, trust_env=False),
            turn_back_clock=lambda seconds: _sign_in_the_past(monkeypatch, seconds),
            link_parameters={
                "content type": "response-content-type",
                "disposition": "response-content-disposition",
                "expiry": "X-Amz-Expires",
                "signature": "X-Amz-Signature",
            },
        )
    clock = _Clock()
    root = request.getfixturevalue("tmp_path") / "store"
    store = FileStore(root, SignedLinks(PUBLIC_URL, SIGNING_KEY, clock=clock))
    return Adapter(
        store=store,
        fetch=lambda url: fetch_from(store, url),
        # The same clock signs and judges: what was signed at once is judged that much later.
        turn_back_clock=clock.sign_earlier,
        link_parameters={
            "content type": "type",
            "disposition": "disposition",
            "expiry": "expires",
            "signature": "sig",
        },
    )


@pytest.fixture(scope="session", params=["files", "s3"])
def broken_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ObjectStore]:
    """A store that worked and works no longer."""
    if request.param == "files":
        root = tmp_path_factory.mktemp("broken") / "store"
        store = open_store(str(root), public_url=PUBLIC_URL, signing_key=SIGNING_KEY)
        store.put("a", b"a", content_type="image/png")
        shutil.rmtree(root)
        yield store
        return
    # Asked for only so that the tests are skipped together when there are to be no services.
    request.getfixturevalue("s3_server")
    with S3Server() as server:
        s3_store = open_s3(server, server.bucket())
        s3_store.prepare()
        s3_store.put("a", b"a", content_type="image/png")
        server.stop()
        yield s3_store
        s3_store.close()


def open_s3(server: S3Server, bucket_and_prefix: str) -> S3Store:
    store = open_store(server.storage_url(bucket_and_prefix), public_url=PUBLIC_URL, signing_key=SIGNING_KEY)
    assert isinstance(store, S3Store)
    return store


def fetch_from(store: FileStore, url: str) -> httpx.Response:
    """Through a server which does no more than the embedded store needs."""

    def serve(request: Request) -> Response:
        key = request.path_params["key"]
        try:
            grant = store.verify(key, request.query_params)
            path = store.path_for_reading(key)
        except Problem as problem:
            return Response(problem.message, status_code=problem.status)
        headers = {"Content-Disposition": grant.disposition}
        return FileResponse(path, media_type=grant.content_type, headers=headers)

    async def fetch() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=[Route("/files/{key:path}", serve)]))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get(url)

    return asyncio.run(fetch())


class _Clock:
    """Gives the time of day; after `sign_earlier` the first reading, which signs, lies in the past."""

    def __init__(self) -> None:
        self._seconds_back = 0

    def sign_earlier(self, seconds: int) -> None:
        self._seconds_back = seconds

    def __call__(self) -> float:
        back, self._seconds_back = self._seconds_back, 0
        return time.time() - back


def _sign_in_the_past(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Only the clock that signs is turned back; the server that judges keeps its own."""

    def earlier(*, remove_tzinfo: bool = True) -> datetime:
        moment = datetime.now(UTC) - timedelta(seconds=seconds)
        return moment.replace(tzinfo=None) if remove_tzinfo else moment

    monkeypatch.setattr("botocore.auth.get_current_datetime", earlier)
