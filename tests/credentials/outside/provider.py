"""An outside identity provider on loopback, which says what a test wants; its tokens are real ones."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import serialize_compact

from opendai.database import Database
from opendai.resources.accounts.users.repository import UserRepository
from tests.inprocess import TestClient
from tests.loopback import LoopbackServer

REALM = "/realms/company"
KEYS = f"{REALM}/protocol/openid-connect/certs"
DISCOVERY = f"{REALM}/.well-known/openid-configuration"

ALGORITHMS = ["RS256", "RS512", "PS256", "ES256"]
Key = RSAKey | ECKey
Use = Callable[..., None]
TokenOf = Callable[..., dict[str, str]]


def rsa_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def ec_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


RSA = rsa_key("one")
OTHER = rsa_key("two")
EC = ec_key("three")


@dataclass
class Provider:
    """The keys in its set, the documents it answers with, and the paths it was asked for."""

    port: int
    keys: list[dict[str, Any]] = field(default_factory=list)
    documents: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    on_request: Callable[[], None] = lambda: None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}{REALM}"

    def publish(self, *keys: Key) -> None:
        self.keys = [key.as_dict(private=False) for key in keys]

    def answer(self, path: str) -> Any:
        known = {
            DISCOVERY: {"issuer": self.issuer, "jwks_uri": f"http://127.0.0.1:{self.port}{KEYS}"},
            KEYS: {"keys": self.keys},
        }
        return self.documents.get(path, known.get(path))

    def claims(self, username: str, *roles: str, **others: Any) -> dict[str, Any]:
        """The claims that Keycloak writes into an access token; a claim that is given as None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": ["other", "account"],
            "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, username)),
            "typ": "Bearer",
            "jti": f"onrtac:{uuid.uuid4()}",
            "iat": now,
            "exp": now + 300,
            "azp": "console",
            "preferred_username": username,
            "realm_access": {"roles": ["offline_access", *roles]},
            **others,
        }
        return {name: value for name, value in claims.items() if value is not None}


def sign(claims: dict[str, Any], key: Key, *, alg: str = "RS256", **header: Any) -> str:
    fields = {"alg": alg, "typ": "JWT", "kid": key.kid, **header}
    header = {name: value for name, value in fields.items() if value is not None}
    # As bytes: what a test wants to say need not be what the library would write.
    return serialize_compact(header, json.dumps(claims).encode(), key, ALGORITHMS)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@contextmanager
def providing() -> Iterator[Provider]:
    """A provider that runs; a document that is an int is answered as that status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            provider.on_request()
            document = provider.answer(self.path)
            status = document if isinstance(document, int) else 200 if document is not None else 404
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_given: Any) -> None:
            """Nothing: the tests ask what was asked for."""

    with LoopbackServer(("127.0.0.1", 0), Handler) as server:
        provider = Provider(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join(10)


def people(database: Database) -> dict[str, tuple[str, list[str]]]:
    """The role and the groups of each user."""
    with database.reading() as session:
        users = UserRepository(session).search()
        return {user.username: (user.role, [group.name for group in user.groups]) for user in users}


def me(client: TestClient, headers: dict[str, str]) -> tuple[int, Any]:
    response = client.get("/ai/auth", headers=headers)
    return response.status_code, response.json()
