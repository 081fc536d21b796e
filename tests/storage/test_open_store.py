"""The one setting that says where objects go, and the sentences for those who mistyped it."""

import re
from pathlib import Path

import pytest

from opendai.storage import FileStore, ObjectStore, open_store
from opendai.storage.s3 import S3Store


def open_at(storage_url: str) -> ObjectStore:
    return open_store(storage_url, public_url="https://opendai.test", signing_key=bytes(32))


def test_files_by_address_and_by_path(tmp_path: Path) -> None:
    root = tmp_path / "with space"
    for storage_url in (
        f"file://{tmp_path}/with%20space",
        f"file://localhost{tmp_path}/with%20space",
        str(root),
    ):
        store = open_at(storage_url)
        assert isinstance(store, FileStore)
        store.put("a", b"x", content_type="image/png")
        assert (root / "objects" / "a").read_bytes() == b"x"


def test_files_below_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_at("data/objects")
    monkeypatch.chdir("/")
    store.put("a", b"x", content_type="image/png")
    assert (tmp_path / "data/objects/objects/a").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("storage_url", "start"),
    [
        (
            "s3://bucket/some/prefix?region=eu-central-1",
            "https://bucket.s3.eu-central-1.amazonaws.com/some/prefix/a?",
        ),
        (
            "s3://bucket?region=eu-central-1&addressing_style=path",
            "https://s3.eu-central-1.amazonaws.com/bucket/a?",
        ),
        ("s3://bucket/?endpoint_url=http://127.0.0.1:9", "http://127.0.0.1:9/bucket/a?"),
        (
            "s3://bucket?endpoint_url=http://s3:9&public_endpoint_url=https://s3.test",
            "https://s3.test/bucket/a?",
        ),
        ("s3://bucket?endpoint_url=https://s3.test&addressing_style=virtual", "https://bucket.s3.test/a?"),
    ],
)
def test_bucket_by_address(storage_url: str, start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    store = open_at(storage_url)
    assert isinstance(store, S3Store)
    url = store.presigned_url("a", expires_in=60, content_type="image/png", download_as=None)
    assert url.startswith(start)
    assert "X-Amz-Credential=from-the-environment%2F" in url
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
    store.close()


def test_credentials_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "access").write_text("from-the-file\n", encoding="utf-8")
    (tmp_path / "secret").write_text("secret\n", encoding="utf-8")
    store = open_at(f"s3://bucket?access_key_file={tmp_path}/access&secret_key_file={tmp_path}/secret")
    url = store.presigned_url("a", expires_in=60, content_type="image/png", download_as=None)
    assert "X-Amz-Credential=from-the-file%2F" in url
    store.close()


@pytest.mark.parametrize(
    ("storage_url", "sentence"),
    [
        ("", "The storage URL is empty."),
        ("gs://bucket", "A storage URL begins with file:// or s3://, not with gs:."),
        ("http://127.0.0.1:9/bucket", "A storage URL begins with file:// or s3://, not with http:."),
        ("file://data", "A storage URL for files has three slashes and an absolute path"),
        ("file:data", "A storage URL for files has three slashes and an absolute path"),
        ("file:///data?mode=1", "A storage URL for files takes no options."),
        ("s3://", "The storage URL names no bucket"),
        ("s3:bucket", "The storage URL names no bucket"),
        ("s3:///prefix", "The storage URL names no bucket"),
        ("s3://?region=x", "The storage URL names no bucket"),
        ("s3://UPPER", "The storage URL names no valid bucket"),
        ("s3://key:secret@bucket", "The storage URL names no valid bucket"),
        ("s3://bucket/../other", "'../other' cannot be the prefix in a storage URL."),
        ("s3://bucket/a%2f..%2fb", "'a/../b' cannot be the prefix in a storage URL."),
        (
            "s3://bucket?endpoint=http://a",
            "'endpoint' is no option of a storage URL; there are endpoint_url, ",
        ),
        ("s3://bucket?region=", "The option region of the storage URL needs one value."),
        ("s3://bucket?region=a&region=b", "The option region of the storage URL needs one value."),
        (
            "s3://bucket?endpoint_url=127.0.0.1:9",
            "The endpoint_url of the storage URL is an http or https address.",
        ),
        (
            "s3://bucket?addressing_style=auto",
            "The addressing_style of the storage URL is path or virtual, not auto.",
        ),
        ("s3://bucket?access_key_file=/a", "A storage URL has both of access_key_file and secret_key_file"),
        (
            "s3://bucket?access_key_file=/does/not/exist&secret_key_file=/dev/null",
            "The file /does/not/exist of the storage URL cannot be read.",
        ),
        (
            "s3://bucket?access_key_file=/dev/null&secret_key_file=/dev/null",
            "The file /dev/null of the storage URL is empty.",
        ),
        ("s3://bucket?region=no%20region", "The bucket bucket cannot be used: "),
    ],
)
def test_wrong_address_is_explained(storage_url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(sentence)) as raised:
        open_at(storage_url)
    assert "secret@" not in str(raised.value)
