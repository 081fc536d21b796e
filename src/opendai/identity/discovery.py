"""OpenID Connect Discovery: the addresses of the endpoints, and the public keys that verify tokens."""

import base64
from typing import Any

from fastapi import Response

from opendai.identity.realms import RealmDep
from opendai.identity.requests import ENDPOINTS
from opendai.parts import KeysDep
from opendai.wire.routing import Router

router = Router(tags=["OpenID Connect"])

_AUTHENTICATION = ["client_secret_basic", "client_secret_post", "none"]
_SECONDS_KEPT = 300
# A copy kept longer than a new key waits would lack the key that signs.
_SECONDS_KEYS_ARE_KEPT = 5


@router.get("/realms/{realm}/.well-known/openid-configuration")
async def get_configuration(realm: RealmDep, response: Response) -> dict[str, Any]:
    """The addresses of the endpoints and what they support, by OpenID Connect Discovery."""
    _let_pages_read(response, seconds=_SECONDS_KEPT)
    return {
        "issuer": realm.url,
        "authorization_endpoint": f"{realm.openid}/auth",
        "token_endpoint": f"{realm.openid}/token",
        "introspection_endpoint": f"{realm.openid}/token/introspect",
        "revocation_endpoint": f"{realm.openid}/revoke",
        "userinfo_endpoint": f"{realm.openid}/userinfo",
        "end_session_endpoint": f"{realm.openid}/logout",
        "check_session_iframe": f"{realm.openid}/login-status-iframe.html",
        "jwks_uri": f"{realm.openid}/certs",
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", "password"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": _AUTHENTICATION,
        "introspection_endpoint_auth_methods_supported": _AUTHENTICATION[:2],
        "revocation_endpoint_auth_methods_supported": _AUTHENTICATION,
        "scopes_supported": ["openid", "profile", "email", "template:dai:agents"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            *("iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "jti", "sid", "nonce", "typ", "at_hash"),
            *("preferred_username", "name", "groups", "roles"),
        ],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "authorization_response_iss_parameter_supported": True,
    }


@router.get("/realms/{realm}")
async def get_realm(keys: KeysDep, realm: RealmDep, response: Response) -> dict[str, Any]:
    """The realm as Keycloak shows it, with the public half of the key that signs now."""
    _let_pages_read(response, seconds=_SECONDS_KEYS_ARE_KEPT)
    return {
        "realm": realm.name,
        "public_key": base64.b64encode(keys.signing.as_der(private=False)).decode(),
        "token-service": f"{realm.url}/protocol/openid-connect",
        "account-service": f"{realm.url}/account",
        "tokens-not-before": 0,
    }


@router.get(f"{ENDPOINTS}/certs")
async def list_keys(keys: KeysDep, realm: RealmDep, response: Response) -> dict[str, Any]:
    """The public keys that verify tokens, as a JSON Web Key Set. A new key is listed before it signs."""
    _let_pages_read(response, seconds=_SECONDS_KEYS_ARE_KEPT)
    return {"keys": [key.as_dict(private=False) for key in keys.published]}


def _let_pages_read(response: Response, *, seconds: int) -> None:
    # The answer is public and the same for everybody, so pages of any origin may read it.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
