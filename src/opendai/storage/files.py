"""The embedded object store: one file an object, written so that a crash leaves the whole object or none."""

import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from opendai.errors import Unavailable
from opendai.storage.links import Grant, SignedLinks
from opendai.storage.port import (
    ObjectMissing,
    check_content_type,
    check_key,
    check_moment,
    check_prefix,
    is_key,
)

# Starts with a dot, which no key can, so that it is never taken for an object.
_PROBE_NAME = ".reachable"
_FOLDERS_REMEMBERED = 10_000


class FileStore:
    """Objects are `<root>/objects/<key>`; objects that are half written are in `<root>/temporary`, on the same
    disk.

    The folders are made once, here, and not again: were the disk unmounted while the server runs, writing
    must fail rather than fill the mount point. Content types are not stored; a link carries its own.
    """

    def __init__(self, root: Path, links: SignedLinks) -> None:
        try:
            _make_root(root)
            resolved = root.resolve(strict=True)
            self._objects = resolved / "objects"
            self._temporary = resolved / "temporary"
            self._objects.mkdir(mode=0o700, exist_ok=True)
            self._temporary.mkdir(mode=0o700, exist_ok=True)
            _make_durable(resolved)
        except OSError as error:
            raise ValueError(f"The storage folder {root} cannot be used: {error.strerror}.") from error
        self._links = links
        self._durable_folders: set[Path] = set()

    def prepare(self) -> None:
        """Nothing: folders are made with the first object in them."""

    def put(self, key: str, content: bytes, *, content_type: str) -> None:
        check_content_type(content_type)
        path = self._path(key)
        with _unavailable_on_failure():
            self._check_way(path)
            try:
                self._make_folder(path.parent)
                self._write(path, content)
            except (NotADirectoryError, IsADirectoryError) as error:
                raise ValueError(
                    f"The key {key} continues another key, or another key continues it."
                ) from error

    def get(self, key: str) -> bytes:
        path = self._path(key)
        with _unavailable_on_failure():
            self._check_way(path)
            try:
                with open(path, "rb", opener=_open_without_following) as file:
                    return file.read()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                raise ObjectMissing(key) from error

    def delete(self, key: str) -> None:
        path = self._path(key)
        with _unavailable_on_failure():
            self._check_way(path)
            # The deletion is not durable: an object that returns after a crash is an orphan, and the worker
            # deletes orphans.
            with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                path.unlink()

    def presigned_url(self, key: str, *, expires_in: int, content_type: str, download_as: str | None) -> str:
        return self._links.sign(
            key, expires_in=expires_in, content_type=content_type, download_as=download_as
        )

    def verify(self, key: str, parameters: Mapping[str, str]) -> Grant:
        """Judge a link by the key in its path and its query parameters; raises Forbidden."""
        return self._links.verify(key, parameters)

    def path_for_reading(self, key: str) -> Path:
        """The file of an object that is there, for an answer that streams it; raises ObjectMissing."""
        path = self._path(key)
        with _unavailable_on_failure():
            self._check_way(path)
            if not path.is_file():
                raise ObjectMissing(key)
        return path

    def is_reachable(self) -> None:
        with _unavailable_on_failure():
            self._write(self._objects / _PROBE_NAME, b"")

    def keys(self, prefix: str = "", older_than: datetime | None = None) -> Iterator[str]:
        check_prefix(prefix)
        check_moment(older_than)
        return self._walk(prefix, older_than)

    def sweep_temporary(self, older_than: datetime) -> int:
        """Remove the files of writes that never ended, and return their number. It is meant for the start.

        A write that is still going on must not be older than the given moment: it would fail.
        """
        check_moment(older_than)
        swept = 0
        with _unavailable_on_failure(), os.scandir(self._temporary) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False) and _is_older(entry, older_than):
                    Path(entry.path).unlink(missing_ok=True)
                    swept += 1
        return swept

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _path(self, key: str) -> Path:
        check_key(key)
        return self._objects / key

    def _check_way(self, path: Path) -> None:
        """The second lock behind the check of keys: no symbolic link may lead elsewhere, not even inside.

        A store whose folder has gone is unavailable; its objects are not missing.
        """
        if not self._objects.is_dir():
            raise FileNotFoundError(errno.ENOENT, "the folder of the objects has gone")
        resolved = path.resolve()
        if resolved != path or not resolved.is_relative_to(self._objects):
            raise OSError(errno.ELOOP, "a symbolic link stands in the way of an object")

    def _make_folder(self, folder: Path) -> None:
        """Make the folder and those above it; each is durable in its parent before anything is put in it."""
        steps = [folder, *folder.parents]
        for step in reversed(steps[: steps.index(self._objects)]):
            try:
                step.mkdir(mode=0o700)
                is_new = True
            except FileExistsError:
                is_new = False
            # An existing folder is not enough: another thread may have made it and not synchronized it yet.
            if is_new or step not in self._durable_folders:
                _make_durable(step.parent)
                if len(self._durable_folders) >= _FOLDERS_REMEMBERED:
                    self._durable_folders.clear()
                self._durable_folders.add(step)

    def _write(self, path: Path, content: bytes) -> None:
        temporary = self._temporary / secrets.token_hex(16)
        try:
            with open(temporary, "xb", opener=_open_without_following) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _make_durable(path.parent)

    def _walk(self, prefix: str, older_than: datetime | None) -> Iterator[str]:
        start = self._objects / prefix.rpartition("/")[0]
        with _unavailable_on_failure():
            self._check_way(start)
            for entry in _files_below(start):
                key = Path(entry.path).relative_to(self._objects).as_posix()
                if key.startswith(prefix) and is_key(key) and _is_older(entry, older_than):
                    yield key


def _is_older(entry: os.DirEntry[str], moment: datetime | None) -> bool:
    if moment is None:
        return True
    try:
        return entry.stat(follow_symlinks=False).st_mtime < moment.timestamp()
    except FileNotFoundError:
        return False


def _files_below(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Entry by entry, because a folder may hold millions. Links are not followed; entries that have gone are
    skipped."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield entry


def _open_without_following(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _make_root(root: Path) -> None:
    if not root.is_dir():
        _make_root(root.parent)
        root.mkdir(mode=0o700, exist_ok=True)
        _make_durable(root.parent)


def _make_durable(folder: Path) -> None:
    """A new name survives a power loss only after its folder is synchronized."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _unavailable_on_failure() -> Iterator[None]:
    """The reason, with its paths, stays in the chain for the log and out of the answer."""
    try:
        yield
    except OSError as error:
        raise Unavailable("The object store cannot be used at the moment.") from error
