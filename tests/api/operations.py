"""Every operation that the server offers, read from its own OpenAPI pages."""

from collections.abc import Iterator
from dataclasses import dataclass

from opendai.api.server import Server

_OPENID = "/auth/realms/{realm}/protocol/openid-connect"
# Operations without a bearer token: those that issue one, those that inspect and end one by a client's secret, and
# the checks of whether the server is there.
OPEN = {
    ("POST", "/ai/auth"),
    ("GET", "/ai/ping"),
    ("GET", "/ai/status"),
    ("POST", f"{_OPENID}/token"),
    ("POST", f"{_OPENID}/token/introspect"),
    ("POST", f"{_OPENID}/revoke"),
    ("POST", f"{_OPENID}/logout"),
    ("POST", "/api/v2/auth"),
    ("GET", "/auth/realms/{realm}"),
    ("GET", "/auth/realms/{realm}/.well-known/openid-configuration"),
    ("GET", f"{_OPENID}/certs"),
    # Pages for people who have no token yet, or want to be rid of it, and what such pages ask.
    ("GET", f"{_OPENID}/auth"),
    ("POST", "/auth/realms/{realm}/login-actions/authenticate"),
    ("GET", f"{_OPENID}/logout"),
    ("POST", f"{_OPENID}/logout/logout-confirm"),
    ("GET", f"{_OPENID}/login-status-iframe.html"),
    ("GET", f"{_OPENID}/login-status-iframe.html/init"),
    ("GET", f"{_OPENID}/3p-cookies/step1.html"),
    ("GET", f"{_OPENID}/3p-cookies/step2.html"),
}
# These read the token themselves: at /ai/auth theirs may be one that is refused, at userinfo it may be in a form.
READ_THEIR_TOKEN = {
    ("GET", "/ai/auth"),
    ("DELETE", "/ai/auth"),
    ("GET", f"{_OPENID}/userinfo"),
    ("POST", f"{_OPENID}/userinfo"),
}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    has_body: bool

    @property
    def is_open(self) -> bool:
        return (self.method, self.path) in OPEN

    def at(self, value: str) -> str:
        """The path with every parameter filled in by one value."""
        parts = self.path.split("/")
        return "/".join(value if part.startswith("{") else part for part in parts)


def every_operation(app: Server) -> Iterator[Operation]:
    for family in app.families:
        for path, methods in family.openapi()["paths"].items():
            for method, page in methods.items():
                yield Operation(method.upper(), family.prefix + path, "requestBody" in page)
