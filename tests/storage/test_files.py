"""Duties of the embedded store alone: survive kills, show no half objects, follow no links."""

import hashlib
import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opendai.errors import Unavailable
from opendai.storage import FileStore, ObjectMissing, SignedLinks
from tests.storage.conftest import PUBLIC_URL, SIGNING_KEY

# Puts objects that carry their own digest, over and over under twenty keys, and tells each that is done.
PUT_UNTIL_KILLED = """
import hashlib, itertools, os, sys
from pathlib import Path
from opendai.storage import FileStore, SignedLinks

store = FileStore(Path(sys.argv[1]), SignedLinks("http://opendai.test", bytes(32)))
for number in itertools.count():
    body = os.urandom(1 + number * 7919 % 300_000)
    key = f"{number % 5}/{number % 20}"
    store.put(key, hashlib.sha256(body).digest() + body, content_type="image/png")
    os.write(1, f"{key}\\n".encode())
"""


def open_files(root: Path) -> FileStore:
    return FileStore(root, SignedLinks(PUBLIC_URL, SIGNING_KEY))


def in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


@pytest.mark.slow
def test_kill_leaves_no_torn_object(tmp_path: Path) -> None:
    for attempt in range(6):
        root = tmp_path / str(attempt)
        command = [sys.executable, "-c", PUT_UNTIL_KILLED, str(root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            acknowledged = {process.stdout.readline().decode().strip()}
            time.sleep(0.05 + 0.03 * attempt)
            process.kill()
            # A last line without its end was not acknowledged.
            lines = process.stdout.read().decode().split("\n")[:-1]
        acknowledged.update(lines)

        store = open_files(root)
        objects = {key: store.get(key) for key in store.keys("")}
        assert acknowledged <= objects.keys()
        for content in objects.values():
            assert hashlib.sha256(content[32:]).digest() == content[:32]
        store.sweep_temporary(in_an_hour())
        assert list((root / "temporary").iterdir()) == []


def test_reader_sees_whole_objects(file_store: FileStore) -> None:
    whole = [bytes([letter]) * 1_000_000 for letter in b"ab"]
    file_store.put("a", whole[0], content_type="image/png")
    is_done = threading.Event()
    seen = set()

    def read() -> None:
        while not is_done.is_set():
            seen.add(file_store.get("a"))
            assert list(file_store.keys()) == ["a"]

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        for number in range(60):
            file_store.put("a", whole[number % 2], content_type="image/png")
        is_done.set()
        reading.result()
    assert seen == set(whole)


def test_many_threads_make_the_same_folders(file_store: FileStore) -> None:
    keys = [f"a/b/{number % 4}/{number}" for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: file_store.put(key, key.encode(), content_type="image/png"), keys))
    assert sorted(file_store.keys()) == sorted(keys)


def test_everything_is_synchronised_in_order(
    file_store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    fsync, replace = os.fsync, Path.replace

    def recorded_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(tmp_path / "store")
        steps.append("content" if "temporary" in path.parts else str(path))
        fsync(descriptor)

    def recorded_replace(path: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "replace", recorded_replace)

    file_store.put("a/b/c", b"x", content_type="image/png")
    assert steps == ["objects", "objects/a", "content", "rename", "objects/a/b"]

    steps.clear()
    file_store.put("a/b/d", b"x", content_type="image/png")
    assert steps == ["content", "rename", "objects/a/b"]

    # Another process may have made the folders and died before it could synchronize them.
    reopened = open_files(tmp_path / "store")
    steps.clear()
    reopened.put("a/b/e", b"x", content_type="image/png")
    assert steps == ["objects", "objects/a", "content", "rename", "objects/a/b"]


def test_objects_outlive_the_store(file_store: FileStore, tmp_path: Path) -> None:
    file_store.put("a/b", b"x", content_type="image/png")
    file_store.close()
    assert open_files(tmp_path / "store").get("a/b") == b"x"


def test_only_the_owner_may_look(file_store: FileStore, tmp_path: Path) -> None:
    file_store.put("a/b", b"x", content_type="image/png")
    root = tmp_path / "store"
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    assert len(folders) == 4
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert stat.S_IMODE((root / "objects/a/b").stat().st_mode) == 0o600


def test_symbolic_link_is_refused(file_store: FileStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    file_store.put("inside/a", b"secret", content_type="image/png")
    objects = tmp_path / "store" / "objects"
    (objects / "folder").symlink_to(outside)
    (objects / "file").symlink_to(outside / "secret")
    (objects / "alias").symlink_to(objects / "inside")

    for key in ("folder/secret", "file", "alias/a"):
        with pytest.raises(Unavailable):
            file_store.get(key)
        with pytest.raises(Unavailable):
            file_store.path_for_reading(key)
        with pytest.raises(Unavailable):
            file_store.put(key, b"overwritten", content_type="image/png")
        with pytest.raises(Unavailable):
            file_store.delete(key)
    assert list(file_store.keys()) == ["inside/a"]
    assert (outside / "secret").read_bytes() == b"secret"
    assert file_store.get("inside/a") == b"secret"


def test_symbolic_link_that_appears_late_is_not_followed(
    file_store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "store/objects/file").symlink_to(tmp_path / "secret")
    monkeypatch.setattr(Path, "resolve", lambda path: path)
    with pytest.raises(Unavailable):
        file_store.get("file")


def test_path_for_reading(file_store: FileStore) -> None:
    file_store.put("a/b", b"x", content_type="image/png")
    assert file_store.path_for_reading("a/b").read_bytes() == b"x"
    for key in ("a", "a/c", "a/b/c"):
        with pytest.raises(ObjectMissing):
            file_store.path_for_reading(key)


def test_key_that_continues_another_is_refused(file_store: FileStore, tmp_path: Path) -> None:
    file_store.put("a/b", b"x", content_type="image/png")
    for key in ("a", "a/b/c"):
        with pytest.raises(ValueError, match=f"^The key {key} continues another key"):
            file_store.put(key, b"y", content_type="image/png")
    assert list(file_store.keys()) == ["a/b"]
    assert list((tmp_path / "store/temporary").iterdir()) == []


def test_failed_put_leaves_the_old_object(
    file_store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_is_full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    file_store.put("a", b"old", content_type="image/png")
    monkeypatch.setattr(os, "fsync", disk_is_full)
    with pytest.raises(Unavailable) as raised:
        file_store.put("a", b"new", content_type="image/png")
    assert str(tmp_path) not in str(raised.value)
    with pytest.raises(Unavailable):
        file_store.is_reachable()
    assert file_store.get("a") == b"old"
    assert list((tmp_path / "store/temporary").iterdir()) == []


def test_sweep_removes_old_leftovers_only(file_store: FileStore, tmp_path: Path) -> None:
    temporary = tmp_path / "store/temporary"
    for name in ("old", "new"):
        (temporary / name).write_bytes(b"half")
    two_hours_ago = time.time() - 7200
    os.utime(temporary / "old", (two_hours_ago, two_hours_ago))
    file_store.put("a", b"x", content_type="image/png")

    assert file_store.sweep_temporary(datetime.now(UTC) - timedelta(hours=1)) == 1
    assert [path.name for path in temporary.iterdir()] == ["new"]
    assert file_store.get("a") == b"x"


def test_folder_removed_by_hand_is_made_again(file_store: FileStore, tmp_path: Path) -> None:
    file_store.put("a/b", b"x", content_type="image/png")
    (tmp_path / "store/objects/a/b").unlink()
    (tmp_path / "store/objects/a").rmdir()
    file_store.put("a/b", b"y", content_type="image/png")
    assert file_store.get("a/b") == b"y"


def test_store_whose_disk_has_gone_is_not_made_again(file_store: FileStore, tmp_path: Path) -> None:
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        file_store.put("a", b"x", content_type="image/png")
    assert not (tmp_path / "store").exists()


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match=f"^The storage folder {tmp_path}/file/store cannot be used: "):
        open_files(tmp_path / "file" / "store")
