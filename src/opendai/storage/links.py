"""Signed links to the files of the embedded store: made here, and judged here when they come back."""

import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from opendai.errors import Forbidden
from opendai.storage.port import check_content_type, check_key, check_lifetime, content_disposition

SHORTEST_SIGNING_KEY_BYTES = 32

_KEY_PURPOSE = b"opendai file urls v1"
_KEY_VERSION = "1"
# The server alone writes the digits, but they are untrusted text until the signature is checked.
_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Grant:
    """The content of a valid link: the headers of the answer."""

    content_type: str
    disposition: str


class SignedLinks:
    """Links are bound to GET, the key, both headers and an expiry, so that none of them can be exchanged.

    `public_url` is where the server is reached from outside, perhaps with a path; `clock` gives Unix seconds.
    """

    def __init__(
        self, public_url: str, signing_key: bytes, *, clock: Callable[[], float] = time.time
    ) -> None:
        parts = urlsplit(public_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{public_url!r} is not the public http or https address of the server.")
        if len(signing_key) < SHORTEST_SIGNING_KEY_BYTES:
            raise ValueError(f"The signing key needs {SHORTEST_SIGNING_KEY_BYTES} bytes or more.")
        self._start = public_url.rstrip("/") + "/files/"
        derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=_KEY_PURPOSE)
        self._derived_key = derivation.derive(signing_key)
        self._clock = clock

    def sign(self, key: str, *, expires_in: int, content_type: str, download_as: str | None) -> str:
        check_key(key)
        check_lifetime(expires_in)
        check_content_type(content_type)
        disposition = content_disposition(download_as)
        expires = str(int(self._clock()) + expires_in)
        parameters = {
            "type": content_type,
            "disposition": disposition,
            "expires": expires,
            "version": _KEY_VERSION,
            # The name is one that tracing libraries know to redact.
            "sig": self._signature(key, content_type, disposition, expires, _KEY_VERSION),
        }
        return self._start + quote(key) + "?" + urlencode(parameters)

    def verify(self, key: str, parameters: Mapping[str, str]) -> Grant:
        """Forbidden for every fault, without naming it: a forger learns nothing."""
        content_type = parameters.get("type", "")
        disposition = parameters.get("disposition", "")
        expires = parameters.get("expires", "")
        version = parameters.get("version", "")
        expected = self._signature(key, content_type, disposition, expires, version)
        given = parameters.get("sig", "").encode("utf-8", "replace")
        is_ours = hmac.compare_digest(expected.encode(), given)
        if not is_ours or version != _KEY_VERSION or not self._is_still_valid(expires):
            raise Forbidden("This link is not valid or has expired.")
        return Grant(content_type=content_type, disposition=disposition)

    def _is_still_valid(self, expires: str) -> bool:
        return _SECONDS.fullmatch(expires) is not None and self._clock() < int(expires)

    def _signature(self, key: str, content_type: str, disposition: str, expires: str, version: str) -> str:
        # JSON keeps the fields apart whatever characters they hold.
        message = json.dumps(["GET", key, content_type, disposition, expires, version]).encode()
        return hmac.digest(self._derived_key, message, "sha256").hex()
