"""ID tokens that come back as a hint which login to end. They may have expired, but the server must have issued
them."""

import re
from dataclasses import dataclass
from typing import Any

from joserfc import jwt

from opendai.credentials.keys import KeyRing

_LONGEST = 8192
_SUBJECT = re.compile(r"user:([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Hint:
    """The user and the login that an ID token was issued for, and the client that received it."""

    user_id: int
    login_id: str
    client_id: str


def find_hint(keys: KeyRing, token: str, *, issuer: str) -> Hint | None:
    """The content of the ID token; None for a text that is not an ID token of ours."""
    if len(token) > _LONGEST:
        return None

    def key(unverified: Any) -> Any:
        # One of our keys, never a key inside the token.
        return keys.verifying(unverified.headers()["kid"])

    try:
        claims = jwt.decode(token, key, algorithms=["RS256"]).claims
        person = _SUBJECT.fullmatch(claims["sub"])
        if person is None or claims["iss"] != issuer or claims["typ"] != "ID":
            return None
        return Hint(int(person[1]), str(claims["sid"]), str(claims["aud"]))
    except Exception:  # noqa: BLE001 - a parser fails in many ways, and each means that it is none of ours
        return None
