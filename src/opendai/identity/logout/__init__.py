"""Logging out: RP-Initiated Logout of OpenID Connect for browsers, and by a refresh token for programs."""

from opendai.identity.logout.routes import router

__all__ = ["router"]
