"""Tokens: RS256 only, signed by keys of our own table, with every claim checked."""

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
# A token serves the one purpose that its `typ` names.
_ACCESS = "Bearer"
_ID = "ID"
LONGEST = 8192
# Callers repeat their tokens; only texts with a signature of ours take a place.
_REMEMBERED = 1024
# Both go into queries, so their form is checked.
_UUID = re.compile(r"[0-9a-f-]{36}")
REFUSED = "The token is invalid or has timed out."


@dataclass(frozen=True, slots=True)
class Claims:
    """The content of a valid token. Times are seconds since 1970."""

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
        """An access token for a subject ("user:7", "client:3"), and its claims."""
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
        """An ID token: it names the person to the program that is its audience, and gives no access."""
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
        # Read once: between two reads the time of the next key may come.
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
            # A token that was seen before is checked too: its key may be disabled since.
            self._keys.verifying(kid)
            checks.validate(claims)
            return _claims(claims)
        except Exception as error:
            # Every fault of a token gets the same answer: the reasons of the parser help only a forger.
            raise Unauthorized(REFUSED) from error

    def _check_signature(self, token: str) -> tuple[str, dict[str, Any]]:
        """The id of the key that signed the token, and the claims of the token, which are not judged here."""
        decoded = jwt.decode(token, self._key, algorithms=["RS256"])
        return decoded.header["kid"], decoded.claims

    def _key(self, unverified: Any) -> Any:
        # The header may only name one of our keys; a key inside the header is ignored.
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
