"""The port of every object store, and the rules for keys, types and lifetimes that each adapter enforces."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from opendai.errors import NotFound

SHORTEST_LINK_SECONDS = 60
LONGEST_LINK_SECONDS = 300

# S3 allows 1024 bytes in a key and file systems 255 in a name; these leave room for a prefix in front.
LONGEST_KEY = 512
LONGEST_KEY_PART = 200

_KEY = re.compile(r"[a-z0-9][a-z0-9/_.-]*")
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*(; [a-z]+=[A-Za-z0-9._-]+)?")
_PLAIN_FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_. -]*")


class ObjectMissing(NotFound):
    """No object is stored under this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no stored object {key}.")


class ObjectStore(Protocol):
    """Bytes under keys that we make ourselves: `screenshots/3f/<uuid>.png`, never a name from outside.

    Stores keep no folders: no key may continue another key (`a` and `a/b`), since on a file system one of
    the two would have to be a folder. A bad key, content type or lifetime is a mistake of ours: ValueError.
    A store that does not answer raises Unavailable. All methods may be called from many threads at once.
    """

    def prepare(self) -> None:
        """Prepare the store for the first object. It is called at the start. Unavailable if the store cannot be
        used."""

    def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """Durable once this returns; a reader sees the whole old object or the whole new one."""

    def get(self, key: str) -> bytes:
        """The whole object; raises ObjectMissing."""

    def delete(self, key: str) -> None:
        """Quiet if the object has gone already."""

    def presigned_url(self, key: str, *, expires_in: int, content_type: str, download_as: str | None) -> str:
        """A link that GETs the object without a token for `expires_in` seconds, 60 to 300.

        The answer has this content type and is shown by the browser, or saved as `download_as` if that is
        given. The link is made without a look whether the object is there.
        """

    def is_reachable(self) -> None:
        """Raises Unavailable unless an object can be written now; answers within about two seconds."""

    def keys(self, prefix: str = "", older_than: datetime | None = None) -> Iterator[str]:
        """Keys that start with `prefix` and were last written before that aware moment, in no promised order.

        Objects may be deleted while this runs. Memory is bounded whatever the number of objects.
        """

    def close(self) -> None:
        """Close the connections; the store is not used afterwards."""


def check_key(key: str) -> None:
    """Raises ValueError unless the key is safe both as a path below a folder and as the path of a URL."""
    parts = key.split("/")
    if (
        not _KEY.fullmatch(key)
        or ".." in key
        or len(key) > LONGEST_KEY
        or any(part in {"", "."} or len(part) > LONGEST_KEY_PART for part in parts)
    ):
        raise ValueError(f"{key!r} cannot be the key of an object.")


def is_key(text: str) -> bool:
    try:
        check_key(text)
    except ValueError:
        return False
    return True


def check_prefix(prefix: str) -> None:
    """Raises ValueError unless some key could start like this; the empty prefix stands for every key."""
    if prefix and not is_key(prefix.removesuffix("/")):
        raise ValueError(f"{prefix!r} cannot be the start of a key.")


def check_content_type(content_type: str) -> None:
    """ValueError unless the text is a lower-case media type. This keeps line breaks out of a header."""
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise ValueError(f"{content_type!r} is not a content type.")


def check_lifetime(expires_in: int) -> None:
    """S3 allows a week and boto3 does not even check that; links leak by logs and histories."""
    if not SHORTEST_LINK_SECONDS <= expires_in <= LONGEST_LINK_SECONDS:
        raise ValueError(
            f"A link lives {SHORTEST_LINK_SECONDS} to {LONGEST_LINK_SECONDS} seconds, not {expires_in}."
        )


def check_moment(moment: datetime | None) -> None:
    """A naive time would be read as local by one store and as UTC by the other."""
    if moment is not None and moment.tzinfo is None:
        raise ValueError("A moment needs a time zone.")


def content_disposition(download_as: str | None) -> str:
    """The header of RFC 6266; names beyond plain ASCII are percent-encoded by RFC 8187, line breaks too."""
    if download_as is None:
        return "inline"
    if not download_as:
        raise ValueError("A file cannot be saved under an empty name.")
    if _PLAIN_FILE_NAME.fullmatch(download_as):
        return f'attachment; filename="{download_as}"'
    return f"attachment; filename*=UTF-8''{quote(download_as, safe='')}"
