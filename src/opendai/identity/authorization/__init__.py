"""The login page: the authorization code flow with PKCE, as RFC 6749, RFC 7636 and OpenID Connect have it."""

from opendai.identity.authorization.routes import router

__all__ = ["router"]
