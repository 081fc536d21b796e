"""Every operation that the server offers, read from its own OpenAPI pages."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.routing import Mount

# What anyone may ask for: the ways to get a token, and whether the server is there.
OPEN = {
    ("POST", "/ai/auth"),
    ("GET", "/ai/ping"),
    ("GET", "/ai/status"),
    ("POST", "/auth/realms/{realm}/protocol/openid-connect/token"),
    ("GET", "/auth/realms/{realm}"),
    ("GET", "/auth/realms/{realm}/.well-known/openid-configuration"),
    ("GET", "/auth/realms/{realm}/protocol/openid-connect/certs"),
    # Pages for people who have no token yet, or want to be rid of it, and what such pages ask.
    ("GET", "/auth/realms/{realm}/protocol/openid-connect/auth"),
    ("POST", "/auth/realms/{realm}/login-actions/authenticate"),
    ("GET", "/auth/realms/{realm}/protocol/openid-connect/logout"),
    ("POST", "/auth/realms/{realm}/protocol/openid-connect/logout/logout-confirm"),
    ("GET", "/auth/realms/{realm}/protocol/openid-connect/login-status-iframe.html"),
    ("GET", "/auth/realms/{realm}/protocol/openid-connect/login-status-iframe.html/init"),
    ("GET", "/auth/realms/{realm}/protocol/openid-connect/3p-cookies/step1.html"),
    ("GET", "/auth/realms/{realm}/protocol/openid-connect/3p-cookies/step2.html"),
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


def every_operation(app: FastAPI) -> Iterator[Operation]:
    for mount in app.routes:
        if isinstance(mount, Mount) and isinstance(mount.app, FastAPI):
            for path, methods in mount.app.openapi()["paths"].items():
                for method, page in methods.items():
                    yield Operation(method.upper(), mount.path + path, "requestBody" in page)
