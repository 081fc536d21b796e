"""Which tokens of an outside identity provider count."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from opendai.api.server import Server
from opendai.database import Database
from opendai.resources.accounts.outside_users import outside_provider
from opendai.settings import Settings
from tests.conftest import Person
from tests.credentials.outside.provider import EC, OTHER, RSA, Provider, Use, bearer, me, people, sign
from tests.inprocess import TestClient

UNAUTHORIZED = {"message": "The token is invalid or has timed out."}


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _raw(header: dict[str, Any], claims: dict[str, Any], *, secret: bytes | None = None) -> str:
    text = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    mac = hmac.digest(secret, text.encode(), "sha256") if secret else b""
    return f"{text}.{_encoded(mac)}"


def _changed(claims: dict[str, Any]) -> str:
    header, _, signature = sign({**claims, "sub": "x"}, RSA).split(".")
    return ".".join([header, sign(claims, RSA).split(".")[1], signature])


GOOD = {
    "ES256": lambda claims: sign(claims, EC, alg="ES256"),
    "PS256": lambda claims: sign(claims, RSA, alg="PS256"),
    "at+jwt": lambda claims: sign({**claims, "typ": "Bearer"}, RSA, typ="at+jwt"),
    "no typ in the header": lambda claims: sign(claims, RSA, typ=None),
    "a thumbprint": lambda claims: sign(claims, RSA, x5t="abc"),
    "no typ in the claims": lambda claims: sign({k: v for k, v in claims.items() if k != "typ"}, RSA),
    "one audience": lambda claims: sign({**claims, "aud": "account"}, RSA),
    "another clock": lambda claims: sign(
        {**claims, "iat": claims["iat"] + 20, "exp": claims["iat"] + 400}, RSA
    ),
}
FORGED = {
    "another key by this name": lambda claims: sign(claims, OTHER, kid="one"),
    "a key that it brings along": lambda claims: sign(claims, OTHER, jwk=OTHER.as_dict(private=False)),
    "an address of keys": lambda claims: sign(claims, RSA, jku="http://127.0.0.1:1/"),
    "an address of a certificate": lambda claims: sign(claims, RSA, x5u="http://127.0.0.1:1/"),
    "a chain of certificates": lambda claims: sign(claims, RSA, x5c=["MII"]),
    "something critical": lambda claims: sign(claims, RSA, crit=["b64"], b64=True),
    "an unknown key": lambda claims: sign(claims, OTHER),
    "no key": lambda claims: sign(claims, RSA, kid=None),
    "a key that is a number": lambda claims: _raw({"alg": "RS256", "kid": 1}, claims, secret=b"x"),
    "a key that is a list": lambda claims: _raw({"alg": "RS256", "kid": ["one"]}, claims, secret=b"x"),
    "RS512": lambda claims: sign(claims, RSA, alg="RS512"),
    "the public key as a secret": lambda claims: _raw(
        {"alg": "HS256", "kid": "one"}, claims, secret=RSA.as_pem(private=False)
    ),
    "the public key as another secret": lambda claims: _raw(
        {"alg": "HS256", "kid": "one"}, claims, secret=RSA.as_der(private=False)
    ),
    "no signature": lambda claims: _raw({"alg": "none", "kid": "one"}, claims),
    "changed claims": _changed,
    "a cut signature": lambda claims: sign(claims, RSA)[:-8],
    "a type for something else": lambda claims: sign(claims, RSA, typ="logout+jwt"),
    "an id token": lambda claims: sign({**claims, "typ": "ID"}, RSA),
    "a refresh token": lambda claims: sign({**claims, "typ": "Refresh"}, RSA),
    "another audience": lambda claims: sign({**claims, "aud": "console"}, RSA),
    "no audience": lambda claims: sign({k: v for k, v in claims.items() if k != "aud"}, RSA),
    "no subject": lambda claims: sign({k: v for k, v in claims.items() if k != "sub"}, RSA),
    "a number as subject": lambda claims: sign({**claims, "sub": 7}, RSA),
    "an endless subject": lambda claims: sign({**claims, "sub": "x" * 256}, RSA),
    "NUL in the subject": lambda claims: sign({**claims, "sub": "a\0"}, RSA),
    "half a pair in the subject": lambda claims: sign({**claims, "sub": "\ud800"}, RSA),
    "no end": lambda claims: sign({k: v for k, v in claims.items() if k != "exp"}, RSA),
    "no beginning": lambda claims: sign({k: v for k, v in claims.items() if k != "iat"}, RSA),
    "an end in the past": lambda claims: sign(
        {**claims, "iat": claims["iat"] - 600, "exp": claims["iat"] - 300}, RSA
    ),
    "an endless end": lambda claims: sign({**claims, "exp": 10**30}, RSA),
    "a beginning in the future": lambda claims: sign({**claims, "iat": claims["iat"] + 200}, RSA),
    "a beginning before all": lambda claims: sign({**claims, "iat": -(10**18)}, RSA),
    "text as an end": lambda claims: sign({**claims, "exp": str(claims["iat"] + 300)}, RSA),
    "not before": lambda claims: sign({**claims, "nbf": claims["iat"] + 200}, RSA),
    "a number as its id": lambda claims: sign({**claims, "jti": 7}, RSA),
    "too long": lambda claims: sign({**claims, "filler": "x" * 8192}, RSA),
    "two tokens": lambda claims: f"{sign(claims, RSA)}.{sign(claims, RSA)}",
}


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_a_good_token_is_taken(
    client: TestClient, use: Use, provider: Provider, make: Callable[[dict[str, Any]], str]
) -> None:
    assert client.get("/ai/models", headers=bearer(make(provider.claims("erin", "user")))).status_code == 200


@pytest.mark.parametrize("make", FORGED.values(), ids=FORGED)
def test_a_forged_token_is_refused_in_the_same_words(
    client: TestClient,
    database: Database,
    use: Use,
    provider: Provider,
    make: Callable[[dict[str, Any]], str],
) -> None:
    response = client.get("/ai/models", headers=bearer(make(provider.claims("erin", "admin"))))
    assert (response.status_code, response.json()) == (401, UNAUTHORIZED)
    assert people(database) == {}


@pytest.mark.parametrize(
    "payload", [b"[" * 5000, b'"text"', b"[]", b"\xff", b"", b'{"iss": ["x"]}', b'{"iss": 7}'], ids=repr
)
def test_a_payload_that_is_no_object_is_refused(client: TestClient, use: Use, payload: bytes) -> None:
    middle = base64.urlsafe_b64encode(payload).decode().rstrip("=")
    for text in (f"e30.{middle}.e30", f"e30.{middle}", middle, ".."):
        response = client.get("/ai/models", headers=bearer(text))
        assert response.status_code == 401


def test_a_token_of_ours_with_the_providers_issuer_is_refused(
    client: TestClient, app: Server, use: Use, provider: Provider, alice: Person
) -> None:
    ours = app.state.parts.tokens._keys.signing
    claims = provider.claims("erin", "admin", sub=f"user:{alice.id}")
    assert client.get("/ai/models", headers=bearer(sign(claims, ours))).status_code == 401
    claims["iss"] = app.state.parts.tokens.issuer
    assert client.get("/ai/models", headers=bearer(sign(claims, RSA))).status_code == 401


def test_without_the_setting_a_providers_token_is_nobodys(
    client: TestClient, app: Server, settings: Settings, database: Database, provider: Provider
) -> None:
    assert outside_provider(settings, database) is None
    assert me(client, bearer(sign(provider.claims("erin", "user"), RSA)))[0] == 404
    response = client.get("/ai/models", headers=bearer(sign(provider.claims("erin", "user"), RSA)))
    assert (response.status_code, response.json()) == (401, UNAUTHORIZED)
    assert provider.asked == []
