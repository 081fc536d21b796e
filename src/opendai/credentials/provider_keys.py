"""The public keys of an outside identity provider, fetched when they are needed and kept for a while."""

import base64
import json
import threading
import time
from dataclasses import dataclass
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from opendai.errors import Unavailable
from opendai.outbound.http import CallFailed, Outbound

_log = structlog.get_logger("opendai.auth")

_DEADLINE_SECONDS = 5.0
_LARGEST = 1 << 18
_SHORTEST_RSA = 2048
# A key that the provider has withdrawn is refused after this long.
_FRESH_SECONDS = 600.0
# Anyone can send a token with an unknown key, so a new fetch waits this long. Without any keys it waits less,
# because no token can be verified.
_PAUSE_SECONDS = 60.0
_PAUSE_WITHOUT_KEYS = 5.0
_UNREACHABLE = "The identity provider does not answer. Try again in a moment."


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A key, and the algorithms that it may verify."""

    key: RSAKey | ECKey
    algorithms: frozenset[str]


class ProviderKeys:
    """The keys by their `kid`. One thread fetches at a time; the others do not wait for it."""

    def __init__(self, outbound: Outbound, *, issuer: str, jwks_url: str = "") -> None:
        self._outbound = outbound
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._fetching = threading.Lock()
        self._keys: dict[str, ProviderKey] = {}
        self._is_current = False
        self._fresh_until = self._not_before = time.monotonic()

    def find(self, kid: str) -> ProviderKey | None:
        """The key of this name; None if the provider has none. Unavailable if the provider does not answer.

        Do not call it while a connection to the database is held: it may take seconds.
        """
        known = self._keys.get(kid)
        if known is not None and time.monotonic() < self._fresh_until:
            return known
        is_current = self._refresh()
        found = self._keys.get(kid)
        if found is None and not is_current:
            raise Unavailable(_UNREACHABLE)
        return found

    def _refresh(self) -> bool:
        """Fetch the keys unless they were fetched a moment ago; tell whether the keys here are those of the
        provider."""
        if not self._fetching.acquire(blocking=False):
            return False
        try:
            if time.monotonic() >= self._not_before:
                self._fetch()
            return self._is_current
        finally:
            self._fetching.release()

    def _fetch(self) -> None:
        try:
            document = self._json(self._jwks_url or self._discovered())
            self._keys = _usable(document)
        except (CallFailed, ValueError) as error:
            # The earlier keys stay valid: a provider that restarts must not log everyone out.
            _log.warning("the keys of the identity provider were not fetched", reason=str(error))
            self._is_current = False
            pause = _PAUSE_SECONDS if self._keys else _PAUSE_WITHOUT_KEYS
            self._not_before = self._fresh_until = time.monotonic() + pause
        else:
            self._is_current = True
            self._not_before = time.monotonic() + _PAUSE_SECONDS
            self._fresh_until = time.monotonic() + _FRESH_SECONDS

    def _discovered(self) -> str:
        document = self._json(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        url = document.get("jwks_uri")
        if document.get("issuer") != self._issuer:
            raise ValueError("the discovery document is another issuer's")
        if not isinstance(url, str):
            raise ValueError("the discovery document names no jwks_uri")  # noqa: TRY004 - it is a value of theirs
        if self._issuer.startswith("https:") and not url.startswith("https:"):
            raise ValueError("the discovery document names a jwks_uri without TLS")
        return url

    def _json(self, url: str) -> dict[str, Any]:
        answer = self._outbound.exchange(
            "GET",
            url,
            headers=[("Accept", "application/json")],
            deadline_seconds=_DEADLINE_SECONDS,
            max_bytes=_LARGEST,
        )
        if answer.status != 200:
            raise ValueError(f"{url} was answered with {answer.status}")
        try:
            document = json.loads(answer.body)
        except RecursionError as error:
            raise ValueError(f"{url} is nested too deep") from error
        if not isinstance(document, dict):
            raise ValueError(f"{url} is no JSON object")  # noqa: TRY004 - it is a value of theirs
        return document


def _usable(document: dict[str, Any]) -> dict[str, ProviderKey]:
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise ValueError("the key set has no list of keys")  # noqa: TRY004 - it is a value of theirs
    read = [(entry.get("kid"), _read(entry)) for entry in entries if isinstance(entry, dict)]
    return {kid: key for kid, key in read if isinstance(kid, str) and key is not None}


def _read(entry: dict[str, Any]) -> ProviderKey | None:
    """The key of an entry if it may sign tokens. A set may hold other keys, which are skipped."""
    if entry.get("use", "sig") != "sig":
        return None
    # Only these members are read, so that nothing else in the entry has an effect.
    members, fitting = {
        "RSA": (("kty", "n", "e"), frozenset({"RS256", "PS256"})),
        "EC": (("kty", "crv", "x", "y"), frozenset({"ES256"})),
    }.get(str(entry.get("kty")), ((), frozenset()))
    algorithms = fitting & {entry["alg"]} if isinstance(entry.get("alg"), str) else fitting
    public = {name: entry.get(name) for name in members}
    if not algorithms or not all(isinstance(value, str) for value in public.values()):
        return None
    try:
        return _imported({name: str(value) for name, value in public.items()}, algorithms)
    except (JoseError, ValueError):
        return None


def _imported(public: dict[str, str], algorithms: frozenset[str]) -> ProviderKey | None:
    if public["kty"] == "EC":
        return ProviderKey(ECKey.import_key(dict(public)), algorithms) if public["crv"] == "P-256" else None
    modulus = public["n"].encode("ascii")
    bits = int.from_bytes(base64.urlsafe_b64decode(modulus + b"=" * (-len(modulus) % 4))).bit_length()
    return ProviderKey(RSAKey.import_key(dict(public)), algorithms) if bits >= _SHORTEST_RSA else None
