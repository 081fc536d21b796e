"""The person of a token of an outside identity provider, read from the claims that the settings name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opendai.credentials.tokens import Claims
from opendai.errors import Forbidden
from opendai.settings import Settings


@dataclass(frozen=True, slots=True)
class Arrival:
    """The person of a token. `groups` is None if the token has no claim of groups."""

    subject: str
    username: str
    role: str
    groups: frozenset[str] | None
    issued: float
    expires: float


def read_arrival(settings: Settings, claims: Claims) -> Arrival:
    """The person of a verified token; Forbidden if the token has no username."""
    username = _claim(claims.values, settings.oidc_username_claim)
    if not isinstance(username, str) or not _is_name(username):
        raise Forbidden(f"The token has no {settings.oidc_username_claim} that can be a username.")
    roles = _texts(_claim(claims.values, settings.oidc_roles_claim)) or frozenset()
    groups = _texts(_claim(claims.values, settings.oidc_groups_claim))
    role = _role(settings, roles)
    return Arrival(claims.subject, username, role, groups, claims.issued, claims.expires)


def _role(settings: Settings, roles: frozenset[str]) -> str:
    if settings.oidc_admin_role in roles:
        return "Admin"
    return "User" if settings.oidc_user_role in roles else "None"


def _claim(values: Mapping[str, Any], path: str) -> Any:
    """The claim with this name, otherwise the value at this path with dots; None if there is neither."""
    if path in values:
        return values[path]
    found: Any = values
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _texts(value: object) -> frozenset[str] | None:
    """The names in a claim, one or a list; Keycloak writes groups as paths ("/testers")."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list):
        return None
    names = [text.removeprefix("/") for text in given if isinstance(text, str)]
    return frozenset(name for name in names if _is_name(name))


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= 255 and text.isprintable()
