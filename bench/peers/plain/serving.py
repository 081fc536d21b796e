"""Starts the plain application, with a key of its own and a token that it accepts."""

import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import RSAKey

from bench.peers.plain.app import AUDIENCE, ISSUER
from bench.servers import Server, running

_DAY_SECONDS = 86_400


@contextmanager
def plain_application(database_url: str, folder: Path) -> Iterator[tuple[Server, str]]:
    """The application on a prepared database, and the token of the program that asks."""
    key = RSAKey.generate_key(2048)
    public_key = folder / "public_key.pem"
    public_key.write_bytes(key.as_pem(private=False))
    command = [sys.executable, "-m", "bench.peers.plain.app", database_url, str(public_key)]
    with running(command, folder / "plain.log") as server:
        yield server, _token(key)


def _token(key: RSAKey) -> str:
    """The claims are those of an access token of opendai."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "client:1",
        "typ": "Bearer",
        "gen": 0,
        "jti": str(uuid.uuid4()),
        "sid": str(uuid.uuid4()),
        "iat": now,
        "exp": now + _DAY_SECONDS,
    }
    return jwt.encode({"alg": "RS256", "typ": "JWT"}, claims, key, algorithms=["RS256"])
