"""Where screenshots and other bytes go: one port, with files behind it or, by one setting, a bucket."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from opendai.storage.bucket import AddressingStyle, Bucket
from opendai.storage.files import FileStore
from opendai.storage.links import Grant, SignedLinks
from opendai.storage.port import (
    LONGEST_LINK_SECONDS,
    SHORTEST_LINK_SECONDS,
    ObjectMissing,
    ObjectStore,
    is_key,
)

__all__ = [
    "LONGEST_LINK_SECONDS",
    "SHORTEST_LINK_SECONDS",
    "Bucket",
    "FileStore",
    "Grant",
    "ObjectMissing",
    "ObjectStore",
    "SignedLinks",
    "open_store",
]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_S3_OPTIONS = (
    "endpoint_url",
    "public_endpoint_url",
    "region",
    "addressing_style",
    "access_key_file",
    "secret_key_file",
)


def open_store(
    storage_url: str, *, public_url: str, signing_key: bytes, max_connections: int = 20
) -> ObjectStore:
    """The store that a setting names; raises ValueError with a sentence for whoever wrote the setting.

    `file:///srv/opendai`, a plain path, or `s3://bucket/prefix?option=value&…` with the options endpoint_url,
    public_endpoint_url (of links), region, addressing_style (path or virtual), access_key_file and
    secret_key_file, where everything behind the bucket may be left out. Links to files
    begin with `public_url` and are signed with a key derived from `signing_key`.
    """
    if not storage_url:
        raise ValueError("The storage URL is empty.")
    if not _SCHEME.match(storage_url):
        return FileStore(Path(storage_url), SignedLinks(public_url, signing_key))
    scheme = urlsplit(storage_url).scheme
    if scheme == "file":
        return FileStore(_folder(storage_url), SignedLinks(public_url, signing_key))
    if scheme == "s3":
        # boto3 takes as long to import as all the rest of a command, and most installations have no bucket.
        from opendai.storage.s3 import S3Store  # noqa: PLC0415

        return S3Store(_bucket(storage_url), max_connections=max_connections)
    raise ValueError(f"A storage URL begins with file:// or s3://, not with {scheme}:.")


def _folder(storage_url: str) -> Path:
    parts = urlsplit(storage_url)
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        raise ValueError(
            "A storage URL for files has three slashes and an absolute path: file:///srv/opendai."
        )
    if parts.query or parts.fragment:
        raise ValueError("A storage URL for files takes no options.")
    return Path(unquote(parts.path))


def _bucket(storage_url: str) -> Bucket:
    parts = urlsplit(storage_url)
    if not parts.netloc:
        raise ValueError("The storage URL names no bucket: s3://bucket/prefix.")
    # Not quoted back: what stands in front of an @ would be a secret.
    if not _BUCKET_NAME.fullmatch(parts.netloc) or parts.fragment:
        raise ValueError("The storage URL names no valid bucket: s3://bucket/prefix.")
    prefix = unquote(parts.path).strip("/")
    if prefix and not is_key(prefix):
        raise ValueError(f"{prefix!r} cannot be the prefix in a storage URL.")
    options = _options(parts.query)
    return Bucket(
        name=parts.netloc,
        prefix=prefix,
        endpoint_url=_endpoint(options, "endpoint_url"),
        public_endpoint_url=_endpoint(options, "public_endpoint_url"),
        region=options.get("region"),
        addressing_style=_addressing_style(options.get("addressing_style")),
        access_key=_secret_from(options.get("access_key_file")),
        secret_key=_secret_from(options.get("secret_key_file")),
    )


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _S3_OPTIONS:
            raise ValueError(f"{name!r} is no option of a storage URL; there are {', '.join(_S3_OPTIONS)}.")
        if not value or name in options:
            raise ValueError(f"The option {name} of the storage URL needs one value.")
        options[name] = value
    if ("access_key_file" in options) != ("secret_key_file" in options):
        raise ValueError("A storage URL has both of access_key_file and secret_key_file, or neither.")
    # Servers with an address of their own seldom have regions, yet every signature names one.
    if "endpoint_url" in options:
        options.setdefault("region", "us-east-1")
    return options


def _endpoint(options: dict[str, str], name: str) -> str | None:
    address = options.get(name)
    if address is not None:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"The {name} of the storage URL is an http or https address.")
    return address


def _addressing_style(style: str | None) -> AddressingStyle | None:
    match style:
        case None | "path" | "virtual":
            return style
    raise ValueError(f"The addressing_style of the storage URL is path or virtual, not {style}.")


def _secret_from(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The file {path} of the storage URL cannot be read.") from error
    if not secret:
        raise ValueError(f"The file {path} of the storage URL is empty.")
    return secret
