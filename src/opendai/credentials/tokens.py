"""Tokens: RS256 only, by keys of our own table, checked in every claim."""

import base64
import functools
import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwt import JWTClaimsRegistry

from opendai.credentials.keys import KeyRing
from opendai.errors import Unauthorized

AUDIENCE = "account"
# A token is good for the one purpose that its `typ` names.
_ACCESS = "Bearer"
_ID = "ID"
LONGEST = 8192
# Whoever asks, asks again with the same token; only texts with a signature of ours take a place.
_REMEMBERED = 1024
# Both go into queries, which not every text may do.
_UUID = re.compile(r"[0-9a-f-]{36}")
REFUSED = "The token is invalid or has timed out."


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
    """Issues access and id tokens of one realm, and reads access tokens."""

    def __init__(self, keys: KeyRing, *, issuer: str) -> None:
        self._keys = keys
        self.issuer = issuer
        self._signed = functools.lru_cache(_REMEMBERED)(self._check_signature)

    def issue(
        self, subject: str, *, now: float, lifetime: int, extra: Mapping[str, Any]
    ) -> tuple[str, Claims]:
        """An access token for a subject ("user:7", "client:3") and what it says."""
        values = {**extra, "aud": AUDIENCE, "sub": subject, "typ": _ACCESS}
        return self._sign(values, now=now, lifetime=lifetime)

    def issue_id(
        self,
        subject: str,
        *,
        audience: str,
        access_token: str,
        now: float,
        lifetime: int,
        extra: Mapping[str, Any],
    ) -> str:
        """An id token: it tells the program that is its audience who logged in, and opens nothing."""
        digest = hashlib.sha256(access_token.encode()).digest()
        values = {
            **extra,
            "aud": audience,
            "azp": audience,
            "sub": subject,
            "typ": _ID,
            # OpenID Connect Core 3.1.3.6: the left half of the hash binds the two tokens together.
            "at_hash": base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode(),
        }
        return self._sign(values, now=now, lifetime=lifetime)[0]

    def _sign(self, values: Mapping[str, Any], *, now: float, lifetime: int) -> tuple[str, Claims]:
        said = {
            **values,
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),
            "iat": int(now),
            "exp": int(now) + lifetime,
        }
        # Asked for once: between two questions the next key's time may come.
        key = self._keys.signing
        text = jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid}, said, key, algorithms=["RS256"])
        return text, _claims(said)

    def read(self, token: str, *, now: float) -> Claims:
        """The claims of an access token that is ours and valid at this moment; Unauthorized for any other text."""
        if len(token) > LONGEST:
            raise Unauthorized(REFUSED)
        checks = JWTClaimsRegistry(
            now=int(now),
            leeway=0,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": AUDIENCE},
            typ={"essential": True, "value": _ACCESS},
            sub={"essential": True},
            jti={"essential": True},
            sid={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        )
        try:
            kid, claims = self._signed(token)
            # Also of a token that was seen before: its key may have been disabled since.
            self._keys.verifying(kid)
            checks.validate(claims)
            return _claims(claims)
        except Exception as error:
            # Whatever is wrong with a token, the answer is the same: the parser's reasons help only a forger.
            raise Unauthorized(REFUSED) from error

    def _check_signature(self, token: str) -> tuple[str, dict[str, Any]]:
        """The id of the key that signed the token, and what it says, be that acceptable or not."""
        decoded = jwt.decode(token, self._key, algorithms=["RS256"])
        return decoded.header["kid"], decoded.claims

    def _key(self, unverified: Any) -> Any:
        # The header may only name one of our keys; a key that it brings along is not looked at.
        headers = unverified.headers()
        if not headers.keys() <= {"alg", "typ", "kid"}:
            raise ValueError("an unexpected header")
        return self._keys.verifying(headers["kid"])


def _claims(values: Mapping[str, Any]) -> Claims:
    subject, jti, sid = values["sub"], values["jti"], values["sid"]
    if not isinstance(subject, str) or not all(_UUID.fullmatch(value) for value in (jti, sid)):
        raise ValueError("sub must be text, jti and sid must be UUIDs")
    return Claims(
        subject=subject,
        jti=jti,
        sid=sid,
        issued=float(values["iat"]),
        expires=float(values["exp"]),
        values=values,
    )
