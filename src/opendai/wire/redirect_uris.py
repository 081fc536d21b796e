"""The addresses that a login may lead back to."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

_LONGEST = 2000
_MOST = 20
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_ASCII = re.compile(r"[\x21-\x7e]+")


def _is_redirect_uri(value: str) -> str:
    # Browsers read a backslash as a slash, and a wildcard would let the code go where nobody meant it to go.
    if not _ASCII.fullmatch(value) or set(value) & set("\\*<>\"'`{}|^"):
        raise ValueError("must be a plain address in ASCII, without wildcards")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("must be an address with a valid host and port") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("must begin with https:// or http:// and a host")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ValueError("must begin with https:// unless it leads to this machine")
    if "@" in parts.netloc:
        raise ValueError("must not hold a username or a password")
    if "#" in value:
        raise ValueError("must not have a fragment")
    return value


RedirectUri = Annotated[str, Field(max_length=_LONGEST), AfterValidator(_is_redirect_uri)]
RedirectUris = Annotated[list[RedirectUri], Field(max_length=_MOST)]
