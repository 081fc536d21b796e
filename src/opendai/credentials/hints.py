"""ID tokens that come back as a hint at who is to be logged out. They may have run out, but must be ours."""

import re
from dataclasses import dataclass
from typing import Any

from joserfc import jwt

from opendai.credentials.keys import KeyRing

_LONGEST = 8192
_SUBJECT = re.compile(r"user:([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Hint:
    """Which login of whom an ID token was made for, and the client it was given to."""

    user_id: int
    login_id: str
    client_id: str


def find_hint(keys: KeyRing, token: str, *, issuer: str) -> Hint | None:
    """What the ID token says; None for a text that is not an ID token of ours."""
    if len(token) > _LONGEST:
        return None

    def key(unverified: Any) -> Any:
        # Only one of our keys, never one that the token brings along.
        return keys.verifying(unverified.headers()["kid"])

    try:
        claims = jwt.decode(token, key, algorithms=["RS256"]).claims
        person = _SUBJECT.fullmatch(claims["sub"])
        if person is None or claims["iss"] != issuer or claims["typ"] != "ID":
            return None
        return Hint(int(person[1]), str(claims["sid"]), str(claims["aud"]))
    except Exception:  # noqa: BLE001 - a parser fails in many ways, and each means that it is none of ours
        return None
