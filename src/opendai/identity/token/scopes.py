"""The scopes of tokens, as Keycloak grants them: the default ones always, and openid for whoever asks for it."""

import re

from opendai.identity.requests import GrantRefused

DEFAULT = "email template:dai:agents profile"
OPENID = "openid"
# RFC 6749, 3.3: names of printable characters other than quotation marks and backslashes.
_WELL_FORMED = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")


def granted_scope(requested: str) -> str:
    """The scopes of a login. Unknown ones are left out. Raises invalid_scope."""
    check_scope(requested)
    return f"{OPENID} {DEFAULT}" if has_openid(requested) else DEFAULT


def check_scope(requested: str) -> None:
    if requested and not _WELL_FORMED.fullmatch(requested):
        raise GrantRefused("invalid_scope", "The scope is malformed.")


def has_openid(scope: str) -> bool:
    return OPENID in scope.split()
