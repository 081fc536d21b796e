"""OpenID Connect under /auth/realms/{realm}. Errors are {"error", "error_description"} by RFC 6749."""

from typing import Any

from opendai.api.dialect import Family, Refusal, build
from opendai.resources import grants
from opendai.settings import Settings

PREFIX = "/auth"


def create(settings: Settings) -> Family:
    return build(
        "opendai: OpenID Connect",
        [grants.router],
        body=_body,
        invalid=400,
        max_body_bytes=settings.max_body_bytes,
    )


def _body(refusal: Refusal) -> Any:
    code = refusal.problem.code if isinstance(refusal.problem, grants.GrantRefused) else None
    by_status = {400: "invalid_request", 401: "invalid_token", 413: "invalid_request", 404: "not_found"}
    code = code or by_status.get(
        refusal.status, "temporarily_unavailable" if refusal.status == 503 else "server_error"
    )
    return {"error": code, "error_description": refusal.message}
