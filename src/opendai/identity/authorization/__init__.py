"""The authorization endpoint and the login page: RFC 6749 with PKCE (RFC 7636), and OpenID Connect."""

from opendai.identity.authorization.routes import router

__all__ = ["router"]
