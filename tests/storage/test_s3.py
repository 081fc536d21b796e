"""Duties of a bucket alone: making it, pages of keys, servers that refuse or hang."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from opendai.errors import Unavailable
from opendai.storage import Bucket
from opendai.storage.s3 import S3Store
from tests.services import S3Server
from tests.storage.conftest import open_s3


@pytest.fixture
def place(s3_server: S3Server, bucket: str) -> Bucket:
    """Where the stores of this module keep things, with credentials that are good."""
    options = dict(parse_qsl(urlsplit(s3_server.storage_url(bucket)).query))
    return Bucket(
        name=bucket,
        endpoint_url=options["endpoint_url"],
        region="us-east-1",
        access_key=(s3_server.folder / "access_key").read_text(encoding="utf-8"),
        secret_key=(s3_server.folder / "secret_key").read_text(encoding="utf-8"),
    )


@pytest.fixture
def server_that_hangs() -> Iterator[str]:
    """It takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_bucket_is_made_once(s3_server: S3Server) -> None:
    with closing(open_s3(s3_server, s3_server.bucket())) as store:
        with pytest.raises(Unavailable):
            store.is_reachable()
        store.prepare()
        store.put("a", b"x", content_type="image/png")
        store.prepare()
        store.is_reachable()
        assert store.get("a") == b"x"


def test_links_lead_to_the_address_that_clients_use(place: Bucket) -> None:
    # The same server under another name: what is signed for one is refused under the other.
    assert place.endpoint_url
    public = place.endpoint_url.replace("127.0.0.1", "localhost")
    with closing(S3Store(replace(place, public_endpoint_url=public))) as store:
        store.put("picture", b"png", content_type="image/png")
        link = store.presigned_url("picture", expires_in=60, content_type="image/png", download_as=None)
        answer = httpx.get(link, trust_env=False)
        assert link.startswith(f"{public}/")
        assert (answer.status_code, answer.content) == (200, b"png")
        store.delete("picture")


def test_two_servers_start_at_once(s3_server: S3Server) -> None:
    name = s3_server.bucket()
    stores = [open_s3(s3_server, name) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(S3Store.prepare, stores))
    for store in stores:
        store.is_reachable()
        store.close()


def test_missing_bucket_is_not_a_missing_object(s3_server: S3Server) -> None:
    with closing(open_s3(s3_server, s3_server.bucket())) as store:
        with pytest.raises(Unavailable):
            store.get("a")
        with pytest.raises(Unavailable):
            store.put("a", b"x", content_type="image/png")


def test_wrong_credentials_are_not_tolerated(place: Bucket) -> None:
    for wrong in (replace(place, secret_key="wrong"), replace(place, access_key="nobody")):
        with closing(S3Store(wrong)) as store:
            for ask in (store.prepare, store.is_reachable, lambda: store.get("a")):
                with pytest.raises(Unavailable) as raised:
                    ask()
                assert str(raised.value) == "The object store cannot be used at the moment."


def test_readiness_does_not_wait_for_a_server_that_hangs(place: Bucket, server_that_hangs: str) -> None:
    with closing(S3Store(replace(place, endpoint_url=server_that_hangs))) as store:
        asked_at = time.monotonic()
        with pytest.raises(Unavailable):
            store.is_reachable()
        assert time.monotonic() - asked_at < 2


def test_keys_come_in_pages(s3_store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opendai.storage.s3._KEYS_IN_A_PAGE", 3)
    keys = [f"many/{number}" for number in range(8)]
    for key in keys:
        s3_store.put(key, b"x", content_type="image/png")
    assert list(s3_store.keys("many/")) == keys


def test_stores_with_prefixes_share_a_bucket(place: Bucket) -> None:
    with (
        closing(S3Store(replace(place, prefix="one"))) as one,
        closing(S3Store(replace(place, prefix="one/more"))) as more,
        closing(S3Store(replace(place, prefix="two"))) as two,
    ):
        one.put("a", b"1", content_type="image/png")
        two.put("a", b"2", content_type="image/png")
        assert (one.get("a"), two.get("a")) == (b"1", b"2")
        assert list(one.keys()) == ["a"]
        assert list(more.keys()) == []
        url = two.presigned_url("a", expires_in=60, content_type="image/png", download_as=None)
        assert httpx.get(url, trust_env=False).content == b"2"


def test_object_keeps_the_type_it_was_put_with(place: Bucket, s3_store: S3Store) -> None:
    s3_store.put("a", b"x", content_type="image/webp")
    url = s3_store.presigned_url("a", expires_in=60, content_type="image/png", download_as=None)
    # The type in the link wins; the stored one is for other software that reads the bucket.
    assert httpx.get(url, trust_env=False).headers["content-type"] == "image/png"
    name = urlsplit(url).path.removeprefix(f"/{place.name}/")
    head = s3_store._client.head_object(Bucket=place.name, Key=name)
    assert head["ContentType"] == "image/webp"


def test_secrets_do_not_show_in_the_bucket(place: Bucket) -> None:
    assert place.secret_key is not None
    assert place.secret_key not in repr(place)
