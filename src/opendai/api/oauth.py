"""OpenID Connect under /auth/realms/{realm}. Errors are {"error", "error_description"} by RFC 6749."""

from typing import Any

from opendai.api.dialect import Family, Refusal
from opendai.identity import (
    authorization,
    discovery,
    introspection,
    login_status,
    logout,
    revocation,
    third_party_cookies,
    token,
    userinfo,
)
from opendai.identity.requests import GrantRefused
from opendai.settings import Settings

PREFIX = "/auth"

_CODES = {
    400: "invalid_request",
    401: "invalid_token",
    403: "access_denied",
    404: "not_found",
    409: "session_changed",
    413: "invalid_request",
    429: "temporarily_unavailable",
    503: "temporarily_unavailable",
}


def create(settings: Settings) -> Family:
    return Family(
        "opendai: OpenID Connect",
        [
            discovery.router,
            authorization.router,
            token.router,
            introspection.router,
            revocation.router,
            userinfo.router,
            logout.router,
            login_status.router,
            third_party_cookies.router,
        ],
        prefix=PREFIX,
        body=_body,
        refusal=_refusal,
        invalid=400,
        max_body_bytes=settings.max_body_bytes,
    )


def _body(refusal: Refusal) -> Any:
    code = refusal.problem.code if isinstance(refusal.problem, GrantRefused) else None
    return {"error": code or _CODES.get(refusal.status, "server_error"), "error_description": refusal.message}


def _refusal(_status: int) -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": {"error": text, "error_description": text},
        "required": ["error", "error_description"],
    }
