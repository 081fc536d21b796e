"""Every adapter behaves alike; each test runs on files and on a real S3 server."""

import re
import secrets
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import pytest

from opendai.errors import NotFound, Unavailable
from opendai.storage import ObjectMissing, ObjectStore
from tests.storage.conftest import Adapter

KEY = "screenshots/3f/0b8e1d5a-6c1f-4b7e-9a55-3c7f7e7a1f10.png"
OTHER_KEY = "screenshots/3f/other.png"

ODD_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "../secret",
    "a/../b",
    "a/..",
    "a..b",
    "a//b",
    "a/",
    "a/./b",
    ".hidden",
    "-option",
    "A",
    "a b",
    "a\n",
    "a\x00b",
    "a\\b",
    "a%2f..%2fb",
    "a?b",
    "ä",
    "a" * 201,
    "a/" * 256 + "a",
]


def link_to(store: ObjectStore, key: str = KEY, *, download_as: str | None = None) -> str:
    return store.presigned_url(key, expires_in=60, content_type="image/png", download_as=download_as)


def with_parameter(url: str, name: str, value: str | None) -> str:
    """The same link with one query parameter exchanged, or left out for None."""
    parts = urlsplit(url)
    parameters = dict(parse_qsl(parts.query))
    assert name in parameters
    del parameters[name]
    if value is not None:
        parameters[name] = value
    return urlunsplit(parts._replace(query=urlencode(parameters)))


@pytest.mark.parametrize("content", [b"", bytes(range(256)), b"line\r\nline\n"])
def test_what_is_put_is_got(adapter: Adapter, content: bytes) -> None:
    adapter.store.put(KEY, content, content_type="image/png")
    assert adapter.store.get(KEY) == content


def test_put_again_replaces(adapter: Adapter) -> None:
    adapter.store.put(KEY, b"first, and longer", content_type="image/png")
    adapter.store.put(KEY, b"second", content_type="image/png")
    assert adapter.store.get(KEY) == b"second"
    assert list(adapter.store.keys()) == [KEY]


def test_five_megabytes(adapter: Adapter) -> None:
    content = secrets.token_bytes(5 * 1024 * 1024)
    adapter.store.put(KEY, content, content_type="image/png")
    assert adapter.store.get(KEY) == content
    assert adapter.fetch(link_to(adapter.store)).content == content


def test_get_object_that_is_not_there(adapter: Adapter) -> None:
    adapter.store.put("screenshots/3f", b"not a folder", content_type="image/png")
    for key in ("nothing", "screenshots", "screenshots/3f/nothing"):
        with pytest.raises(ObjectMissing, match=f"^There is no stored object {key}.$") as raised:
            adapter.store.get(key)
        assert isinstance(raised.value, NotFound)


def test_delete_twice(adapter: Adapter) -> None:
    adapter.store.put(KEY, b"x", content_type="image/png")
    adapter.store.delete(KEY)
    with pytest.raises(ObjectMissing):
        adapter.store.get(KEY)
    adapter.store.delete(KEY)
    adapter.store.delete("never/there")


def test_delete_leaves_the_others(adapter: Adapter) -> None:
    for key in (KEY, OTHER_KEY):
        adapter.store.put(key, key.encode(), content_type="image/png")
    adapter.store.delete("screenshots/3f")
    adapter.store.delete(KEY)
    assert adapter.store.get(OTHER_KEY) == OTHER_KEY.encode()


def test_link_is_fetched_with_the_type_it_was_signed_for(adapter: Adapter) -> None:
    adapter.store.put(KEY, b"\x89PNG", content_type="application/octet-stream")
    response = adapter.fetch(link_to(adapter.store))
    assert response.status_code == 200
    assert response.content == b"\x89PNG"
    assert response.headers["content-type"] == "image/png"
    assert response.headers["content-disposition"] == "inline"


@pytest.mark.parametrize(
    ("download_as", "disposition"),
    [
        ("screenshot 1.png", 'attachment; filename="screenshot 1.png"'),
        ("Übersicht.png", "attachment; filename*=UTF-8''%C3%9Cbersicht.png"),
        ('a"; b.png', "attachment; filename*=UTF-8''a%22%3B%20b.png"),
        ("a\r\nX-Evil: 1", "attachment; filename*=UTF-8''a%0D%0AX-Evil%3A%201"),
    ],
)
def test_link_that_downloads(adapter: Adapter, download_as: str, disposition: str) -> None:
    adapter.store.put(KEY, b"x", content_type="image/png")
    response = adapter.fetch(link_to(adapter.store, download_as=download_as))
    assert response.status_code == 200
    assert response.headers["content-disposition"] == disposition
    assert "x-evil" not in response.headers


def test_link_to_object_that_is_not_there(adapter: Adapter) -> None:
    assert adapter.fetch(link_to(adapter.store)).status_code == 404


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("content type", "text/html"),
        ("content type", None),
        ("disposition", "inline"),
        ("disposition", None),
        ("expiry", "299"),
        ("expiry", "99999999999"),
        ("expiry", None),
        ("signature", "0" * 64),
        ("signature", ""),
        ("signature", None),
    ],
)
def test_altered_link_is_refused(adapter: Adapter, what: str, value: str | None) -> None:
    adapter.store.put(KEY, b"secret", content_type="image/png")
    url = link_to(adapter.store, download_as="a.png")
    assert adapter.fetch(url).status_code == 200
    response = adapter.fetch(with_parameter(url, adapter.link_parameters[what], value))
    assert response.status_code in {400, 403}
    assert b"secret" not in response.content


def test_link_to_another_key_is_refused(adapter: Adapter) -> None:
    for key in (KEY, OTHER_KEY):
        adapter.store.put(key, b"secret", content_type="image/png")
    url = link_to(adapter.store, KEY)
    assert KEY in unquote(url)
    assert adapter.fetch(url.replace(KEY, OTHER_KEY)).status_code == 403


def test_link_lives_as_long_as_it_says(adapter: Adapter) -> None:
    adapter.store.put(KEY, b"x", content_type="image/png")
    adapter.turn_back_clock(40)
    assert adapter.fetch(link_to(adapter.store)).status_code == 200
    adapter.turn_back_clock(62)
    assert adapter.fetch(link_to(adapter.store)).status_code == 403


def test_keys_have_a_prefix(adapter: Adapter) -> None:
    everything = {"a", "b/c", "b/cd", "b/c2/d", "bc", KEY}
    for key in everything:
        adapter.store.put(key, b"x", content_type="image/png")
    for prefix in ("", "b", "b/", "b/c", "b/c2", "screenshots/3f/0b", "none", "none/none"):
        listed = list(adapter.store.keys(prefix))
        assert sorted(listed) == sorted(key for key in everything if key.startswith(prefix))


def test_keys_have_an_age(adapter: Adapter) -> None:
    adapter.store.put("old", b"x", content_type="image/png")
    # S3 tells whole seconds.
    next_second = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    time.sleep((next_second - datetime.now(UTC)).total_seconds() + 0.05)
    adapter.store.put("new", b"x", content_type="image/png")
    assert list(adapter.store.keys("", next_second)) == ["old"]
    assert list(adapter.store.keys("n", next_second)) == []
    assert list(adapter.store.keys("", next_second - timedelta(hours=1))) == []
    assert sorted(adapter.store.keys("", next_second + timedelta(hours=1))) == ["new", "old"]


def test_objects_may_be_deleted_while_keys_are_listed(adapter: Adapter) -> None:
    for number in range(30):
        adapter.store.put(f"a/{number % 3}/{number}", b"x", content_type="image/png")
    for key in adapter.store.keys("a/"):
        adapter.store.delete(key)
    assert list(adapter.store.keys()) == []


def test_store_that_is_reachable(adapter: Adapter) -> None:
    adapter.store.is_reachable()
    adapter.store.is_reachable()
    assert list(adapter.store.keys()) == []


def test_store_that_is_not_reachable(broken_store: ObjectStore) -> None:
    asked_at = time.monotonic()
    with pytest.raises(Unavailable) as raised:
        broken_store.is_reachable()
    assert time.monotonic() - asked_at < 2.5
    assert str(raised.value) == "The object store cannot be used at the moment."


def test_verbs_of_a_store_that_is_not_reachable(broken_store: ObjectStore) -> None:
    with pytest.raises(Unavailable):
        broken_store.put("b", b"b", content_type="image/png")
    with pytest.raises(Unavailable):
        broken_store.get("a")
    with pytest.raises(Unavailable):
        broken_store.delete("a")
    with pytest.raises(Unavailable):
        list(broken_store.keys())


def test_odd_keys_are_refused(adapter: Adapter) -> None:
    for key in ODD_KEYS:
        refusal = re.escape(f"{key!r} cannot be the key of an object.")
        with pytest.raises(ValueError, match=refusal):
            adapter.store.put(key, b"x", content_type="image/png")
        with pytest.raises(ValueError, match=refusal):
            adapter.store.get(key)
        with pytest.raises(ValueError, match=refusal):
            adapter.store.delete(key)
        with pytest.raises(ValueError, match=refusal):
            link_to(adapter.store, key)
    assert list(adapter.store.keys()) == []


def test_odd_prefixes_are_refused(adapter: Adapter) -> None:
    for prefix in ("/", "../", "a/../", "A", ".", "a//"):
        with pytest.raises(ValueError, match=re.escape(f"{prefix!r} cannot be the start of a key.")):
            adapter.store.keys(prefix)


def test_odd_content_types_are_refused(adapter: Adapter) -> None:
    for content_type in ("", "png", "image/png\r\nX: y", "IMAGE/PNG", "image/png,text/html"):
        refusal = re.escape(f"{content_type!r} is not a content type.")
        with pytest.raises(ValueError, match=refusal):
            adapter.store.put(KEY, b"x", content_type=content_type)
        with pytest.raises(ValueError, match=refusal):
            adapter.store.presigned_url(KEY, expires_in=60, content_type=content_type, download_as=None)


def test_lifetimes_out_of_range_are_refused(adapter: Adapter) -> None:
    for seconds in (-60, 0, 59, 301, 604_800):
        with pytest.raises(ValueError, match=f"A link lives 60 to 300 seconds, not {seconds}."):
            adapter.store.presigned_url(KEY, expires_in=seconds, content_type="image/png", download_as=None)
    for seconds in (60, 300):
        adapter.store.presigned_url(KEY, expires_in=seconds, content_type="image/png", download_as=None)


def test_empty_file_name_is_refused(adapter: Adapter) -> None:
    with pytest.raises(ValueError, match="empty name"):
        link_to(adapter.store, download_as="")


def test_moment_without_time_zone_is_refused(adapter: Adapter) -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        adapter.store.keys("", datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused
