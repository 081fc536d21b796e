"""Tokens of an outside identity provider such as Keycloak, verified by the provider's keys."""

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
# Thumbprints of certificates are allowed, because some providers send them; they are not used.
_HEADERS = frozenset({"alg", "typ", "kid", "x5t", "x5t#S256"})
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
# The clocks of two machines differ.
_LEEWAY_SECONDS = 30
_REMEMBERED = 10_000


class Outside:
    """Reads the access tokens of one provider, and settles the person of each new token before it counts."""

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
        """Whether a token names this provider as its issuer. Nothing is verified here."""
        if len(token) > LONGEST:
            return False
        try:
            values = json.loads(_decoded(token.split(".")[1]))
        except (IndexError, ValueError, RecursionError):
            return False
        return isinstance(values, dict) and values.get("iss") == self._issuer

    def read(self, token: str, *, now: float) -> Claims:
        """The claims of a token that is valid at this moment. Its person is settled.

        Unauthorized for any other text, Forbidden for a person whom the settings do not allow, and Unavailable
        without keys. Do not call it while a connection to the database is held.
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
            # Every fault of a token gets the same answer: the reasons of the parser help only a forger.
            raise Unauthorized(REFUSED) from error

    def _key(self, unverified: Any) -> Any:
        # The header may only name a key of the provider; a key inside the header is ignored.
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
        # The ids of providers have other forms than ours, and some providers give none.
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
