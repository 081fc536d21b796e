"""The token endpoint, by RFC 6749: each grant brings a login or a program its tokens."""

from opendai.identity.token.routes import router

__all__ = ["router"]
