"""Tokens of an outside identity provider, such as Keycloak: verified by its keys, for people it vouches for."""

import base64
import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.jwt import JWTClaimsRegistry

from opendai.credentials.provider_keys import ProviderKeys
from opendai.credentials.tokens import LONGEST, REFUSED, Claims
from opendai.errors import Unauthorized, Unavailable

_ALGORITHMS = ["ES256", "PS256", "RS256"]
# Thumbprints of certificates are let by, as some providers send them; nothing is done with them.
_HEADERS = frozenset({"alg", "typ", "kid", "x5t", "x5t#S256"})
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
# The clocks of two machines differ.
_LEEWAY_SECONDS = 30
_REMEMBERED = 10_000


class Outside:
    """Reads the access tokens of one provider, and has each new one's person settled before it counts."""

    def __init__(
        self, keys: ProviderKeys, *, issuer: str, audience: str, settle: Callable[[Claims], None]
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._settle = settle
        self._settled: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_named_in(self, token: str) -> bool:
        """Whether a token says that it is this provider's. Nothing of it is verified here."""
        if len(token) > LONGEST:
            return False
        try:
            values = json.loads(_decoded(token.split(".")[1]))
        except (IndexError, ValueError, RecursionError):
            return False
        return isinstance(values, dict) and values.get("iss") == self._issuer

    def read(self, token: str, *, now: float) -> Claims:
        """The claims of a token that is valid at this moment, its person being settled.

        Unauthorized for any other text, Forbidden for somebody who is not let in, and Unavailable without keys. Must
        not be called while a connection to the database is held.
        """
        claims = self._verified(token, now=now)
        if claims.jti not in self._settled:
            self._settle(claims)
            self._remember(claims, now=now)
        return claims

    def _verified(self, token: str, *, now: float) -> Claims:
        if len(token) > LONGEST:
            raise Unauthorized(REFUSED)
        checks = JWTClaimsRegistry(
            now=int(now),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            sub={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        )
        try:
            decoded = jwt.decode(token, self._key, algorithms=_ALGORITHMS)
            checks.validate(decoded.claims)
            return self._claims(token, decoded.claims)
        except Unavailable:
            raise
        except Exception as error:
            # Whatever is wrong with a token, the answer is the same: the parser's reasons help only a forger.
            raise Unauthorized(REFUSED) from error

    def _key(self, unverified: Any) -> Any:
        # The header may only name a key of the provider; one that it brings along is not looked at.
        headers = unverified.headers()
        if not headers.keys() <= _HEADERS or str(headers.get("typ", "jwt")).lower() not in _TYPES:
            raise ValueError("an unexpected header")
        found = self._keys.find(headers["kid"]) if headers["alg"] in _ALGORITHMS else None
        if found is None or headers["alg"] not in found.algorithms:
            raise ValueError("an unknown key, or one for something else")
        return found.key

    def _claims(self, token: str, values: dict[str, Any]) -> Claims:
        subject = values["sub"]
        if not (0 < len(subject) <= 255 and subject.isprintable()):
            raise ValueError("a subject that nobody has")
        if values.get("typ", "Bearer") != "Bearer":
            raise ValueError("a token for something else, such as an id token")
        if not 0 < values["iat"] < values["exp"] < 2**33:
            raise ValueError("a lifetime that no token has")
        # Providers write their ids in other ways than ours, and not all give one.
        own = values["jti"] if "jti" in values else token.rpartition(".")[0]
        return Claims(
            subject=subject,
            jti=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._issuer} {own}")),
            sid="",
            issued=float(values["iat"]),
            expires=float(values["exp"]),
            values=values,
        )

    def _remember(self, claims: Claims, *, now: float) -> None:
        with self._lock:
            if len(self._settled) >= _REMEMBERED:
                self._settled = {jti: end for jti, end in self._settled.items() if end > now}
            if len(self._settled) >= _REMEMBERED:
                self._settled.clear()
            self._settled[claims.jti] = claims.expires + _LEEWAY_SECONDS


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
