"""Tokens: RS256 only, by keys of our own table, checked in every claim."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwt import JWTClaimsRegistry

from opendai.auth.keys import KeyRing
from opendai.errors import Unauthorized

AUDIENCE = "account"
_LONGEST = 8192
_REFUSED = "The token is invalid or has timed out."


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that was accepted says. Times are seconds since 1970."""

    subject: str
    jti: str
    sid: str
    issued: float
    expires: float
    values: Mapping[str, Any]


class Tokens:
    """Issues and reads the access tokens of one realm."""

    def __init__(self, keys: KeyRing, *, issuer: str) -> None:
        self._keys = keys
        self.issuer = issuer

    def issue(
        self, subject: str, *, now: float, lifetime: int, extra: Mapping[str, Any]
    ) -> tuple[str, Claims]:
        """An access token for a subject ("user:7", "client:3") and what it says."""
        values = {
            **extra,
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "typ": "Bearer",
            "jti": str(uuid.uuid4()),
            "iat": int(now),
            "exp": int(now) + lifetime,
        }
        # Asked for once: between two questions the next key's time may come.
        key = self._keys.signing
        text = jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid}, values, key, algorithms=["RS256"])
        return text, _claims(values)

    def read(self, token: str, *, now: float) -> Claims:
        """The claims of a token that is ours and valid at this moment; Unauthorized for any other text."""
        if len(token) > _LONGEST:
            raise Unauthorized(_REFUSED)
        checks = JWTClaimsRegistry(
            now=int(now),
            leeway=0,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": AUDIENCE},
            typ={"essential": True, "value": "Bearer"},
            sub={"essential": True},
            jti={"essential": True},
            sid={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        )
        try:
            decoded = jwt.decode(token, self._key, algorithms=["RS256"])
            checks.validate(decoded.claims)
            return _claims(decoded.claims)
        except Exception as error:
            # Whatever is wrong with a token, the answer is the same: the parser's reasons help only a forger.
            raise Unauthorized(_REFUSED) from error

    def _key(self, unverified: Any) -> Any:
        # The header may only name one of our keys; a key that it brings along is not looked at.
        headers = unverified.headers()
        if not headers.keys() <= {"alg", "typ", "kid"}:
            raise ValueError("an unexpected header")
        return self._keys.verifying(headers["kid"])


def _claims(values: Mapping[str, Any]) -> Claims:
    subject, jti, sid = values["sub"], values["jti"], values["sid"]
    if not all(isinstance(value, str) for value in (subject, jti, sid)):
        raise TypeError("sub, jti and sid must be text")
    return Claims(
        subject=subject,
        jti=jti,
        sid=sid,
        issued=float(values["iat"]),
        expires=float(values["exp"]),
        values=values,
    )
