"""Tokens that are not ours, or ours for another purpose: all are refused alike, wherever they are shown."""

import base64
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe
from joserfc.jwk import RSAKey

from opendai.api.server import Server
from opendai.errors import Unauthorized
from tests.arranging.forging import Forger, compact, encoded, foreign_key, hs256, make_forger, rs256, unsigned
from tests.arranging.logging_in import OPENID, Portal, bearer, make_portal
from tests.conftest import Person
from tests.inprocess import TestClient

PLACES = ("/ai/agents", f"{OPENID}/userinfo")
HOUR = 3600
# Five times what it may take, for machines that are busy with other tests.
SECONDS = 0.25

_FOREIGN = foreign_key()
_SPKI, _PKCS1 = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1


def _jwk(key: RSAPrivateKey) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "n": encoded(numbers.n.to_bytes(256)), "e": encoded(numbers.e.to_bytes(3))}


def _encrypted(forger: Forger) -> str:
    key = RSAKey.import_key(forger.public(Encoding.PEM, _SPKI))
    header = {"alg": "RSA-OAEP", "enc": "A256GCM", "kid": forger.kid}
    return jwe.encrypt_compact(header, json.dumps(forger.claims).encode(), key)


def _without_signature(forger: Forger) -> str:
    return forger.ours().rpartition(".")[0] + "."


def _with_other_claims(forger: Forger) -> str:
    head, _, signature = forger.ours().split(".")
    return f"{head}.{encoded(json.dumps({**forger.claims, 'sub': 'user:2'}).encode())}.{signature}"


FORGERIES: dict[str, Callable[[Forger], str]] = {
    **{
        f"the algorithm {name}": partial(Forger.with_header, sign=unsigned, alg=name)
        for name in ("none", "None", "NONE", "nOnE", "", "RS256 ", "rs256", None, 1, ["RS256"])
    },
    **{
        f"the algorithm {name} with our signature": partial(Forger.ours, header={"alg": name})
        for name in ("none", "HS256", "RS384", "PS256", "ES256")
    },
    "no algorithm": lambda forger: compact({"typ": "JWT", "kid": forger.kid}, forger.claims, unsigned),
    "HS256 by our public key as PEM": lambda forger: forger.with_header(
        hs256(forger.public(Encoding.PEM, _SPKI)), alg="HS256"
    ),
    "HS256 by our public key as PEM without its last line end": lambda forger: forger.with_header(
        hs256(forger.public(Encoding.PEM, _SPKI).strip()), alg="HS256"
    ),
    "HS256 by our public key as PEM of PKCS 1": lambda forger: forger.with_header(
        hs256(forger.public(Encoding.PEM, _PKCS1)), alg="HS256"
    ),
    "HS256 by our public key as DER": lambda forger: forger.with_header(
        hs256(forger.public(Encoding.DER, _SPKI)), alg="HS256"
    ),
    "HS256 by our public key as DER of PKCS 1": lambda forger: forger.with_header(
        hs256(forger.public(Encoding.DER, _PKCS1)), alg="HS256"
    ),
    "HS256 by our public key as JWK": lambda forger: forger.with_header(
        hs256(forger.public_jwk.encode()), alg="HS256"
    ),
    "HS256 by the bytes of our modulus": lambda forger: forger.with_header(
        hs256(forger.modulus), alg="HS256"
    ),
    "HS256 by no key": lambda forger: forger.with_header(hs256(b""), alg="HS256"),
    "a foreign key under our id": lambda forger: forger.with_header(rs256(_FOREIGN)),
    "a foreign key in the header": lambda forger: forger.with_header(rs256(_FOREIGN), jwk=_jwk(_FOREIGN)),
    "our signature and a key in the header": lambda forger: forger.ours(header={"jwk": _jwk(_FOREIGN)}),
    **{
        f"the header {name}": partial(Forger.ours, header={name: f"https://evil.example/{name}"})
        for name in ("jku", "x5u")
    },
    "the header x5c": lambda forger: forger.ours(header={"x5c": ["MIIB"]}),
    "an unknown critical header": lambda forger: forger.ours(header={"crit": ["exp"], "exp": 1}),
    "an empty list of critical headers": lambda forger: forger.ours(header={"crit": []}),
    "a payload that is not encoded": lambda forger: forger.ours(header={"crit": ["b64"], "b64": False}),
    "b64 that is not critical": lambda forger: forger.ours(header={"b64": False}),
    **{
        f"the key {kid!r}": partial(Forger.ours, header={"kid": kid})
        for kid in ("unknown", "", "../../dev/null", "' OR 1=1 --", None, 1, ["a"], {"a": 1}, "a\0b")
    },
    "no key": lambda forger: compact(
        {"alg": "RS256", "typ": "JWT"}, forger.claims, rs256(forger.private_key)
    ),
    "an encrypted token": _encrypted,
    "no signature": _without_signature,
    "other claims": _with_other_claims,
    "a header that is a list": lambda forger: compact([1], forger.claims, rs256(forger.private_key)),
    "claims that are a list": lambda forger: compact(forger.header, [1], rs256(forger.private_key)),
    "no end": lambda forger: forger.ours(exp=None),
    "an end that has passed": lambda forger: forger.ours(exp=int(time.time()) - 1),
    "an end that is text": lambda forger: forger.ours(exp=str(int(time.time()) + HOUR)),
    "an end that is true": lambda forger: forger.ours(exp=True),
    "an end that never comes": lambda forger: forger.ours(exp=float("inf")),
    "an end that is no number": lambda forger: forger.ours(exp=float("nan")),
    "an end beyond all numbers": lambda forger: forger.ours(exp=10**400),
    "a beginning that is ahead": lambda forger: forger.ours(nbf=int(time.time()) + HOUR),
    "a beginning that is text": lambda forger: forger.ours(nbf="0"),
    "issued in the future": lambda forger: forger.ours(iat=int(time.time()) + HOUR),
    "no time of issue": lambda forger: forger.ours(iat=None),
    "another issuer": lambda forger: forger.ours(iss="https://evil.example/auth/realms/eggplant"),
    "another realm": lambda forger: forger.ours(iss="http://testserver/auth/realms/master"),
    "no issuer": lambda forger: forger.ours(iss=None),
    "no audience": lambda forger: forger.ours(aud=None),
    "another audience": lambda forger: forger.ours(aud="portal-id"),
    "an empty audience": lambda forger: forger.ours(aud=[]),
    "no subject": lambda forger: forger.ours(sub=None),
    **{
        f"the subject {subject!r}": partial(Forger.ours, sub=subject)
        for subject in (
            7,
            "",
            "user:",
            "user:0",
            "user:-1",
            "user:٣",
            "user:9999999999999999999",
            "user:1\0",
            "admin:1",
            ["user:1"],
        )
    },
    "no id": lambda forger: forger.ours(jti=None),
    "an id that is a number": lambda forger: forger.ours(jti=7),
    "an id with NUL": lambda forger: forger.ours(jti="a\0b"),
    "no login": lambda forger: forger.ours(sid=None),
    "another login": lambda forger: forger.ours(sid="00000000-0000-4000-8000-000000000000"),
    "a login that is half a surrogate pair": lambda forger: forger.ours(sid="\ud800"),
    **{
        f"the purpose {purpose!r}": partial(Forger.ours, typ=purpose)
        for purpose in (None, "ID", "Refresh", "bearer", "", 1)
    },
    "two of three parts": lambda forger: ".".join(forger.ours().split(".")[:2]),
    "four parts": lambda forger: forger.ours() + ".e30",
    "padding": lambda forger: forger.ours() + "=",
    "dots alone": lambda _forger: "..",
    "a header nested thousandfold": lambda _forger: f"{encoded(b'[' * 5000)}.e30.e30",
    "a header nested 100,000 deep": lambda _forger: f"{encoded(b'[' * 100_000)}.e30.e30",
    "ten megabytes": lambda _forger: f"e30.{'A' * 10_000_000}.e30",
}


@pytest.fixture
def forger(app: Server, alice: Person) -> Forger:
    return make_forger(app, alice.bearer["Authorization"].removeprefix("Bearer "))


@pytest.fixture
def portal(app: Server, client: TestClient, alice: Person) -> Portal:
    return make_portal(app, client, alice)


def _answer(client: TestClient, place: str, token: str) -> tuple[int, bytes, list[tuple[str, str]]]:
    response = client.get(place, headers=bearer(token))
    headers = [(name, value) for name, value in response.headers.items() if name != "x-request-id"]
    return response.status_code, response.content, headers


def _told_apart(client: TestClient, tokens: dict[str, str]) -> set[tuple[str, str]]:
    """The tokens that are answered otherwise than any text that is not a token, and where."""
    refused = {place: _answer(client, place, "x.y.z") for place in PLACES}
    assert {status for status, _, _ in refused.values()} == {401}
    return {
        (name, place)
        for name, token in tokens.items()
        for place in PLACES
        if _answer(client, place, token) != refused[place]
    }


@pytest.mark.parametrize("place", PLACES)
def test_the_forger_could_sign_a_token_that_is_accepted(
    client: TestClient, forger: Forger, place: str
) -> None:
    for token in (forger.ours(), forger.ours(nbf=int(time.time()))):
        assert client.get(place, headers=bearer(token)).status_code == 200


def test_every_forged_token_is_refused_in_the_same_bytes(client: TestClient, forger: Forger) -> None:
    assert _told_apart(client, {name: forge(forger) for name, forge in FORGERIES.items()}) == set()


def test_tokens_of_another_purpose_open_nothing(client: TestClient, app: Server, portal: Portal) -> None:
    answer = portal.log_in(scope="openid")
    link = app.state.parts.store.presigned_url(
        "screenshots/1", expires_in=60, content_type="image/png", download_as=None
    )
    others = {
        "refresh token": answer["refresh_token"],
        "id token": answer["id_token"],
        "link": link,
        "signature of a link": link.rpartition("sig=")[2],
    }
    assert _told_apart(client, others) == set()
    assert portal.is_accepted(answer)


def test_tokens_that_were_ended_are_refused_like_forged_ones(client: TestClient, portal: Portal) -> None:
    revoked, ended = portal.log_in(), portal.log_in()
    portal.ask("revoke", token=revoked["access_token"])
    portal.ask("logout", refresh_token=ended["refresh_token"])
    assert _told_apart(client, {"revoked": revoked["access_token"], "ended": ended["access_token"]}) == set()


def test_an_access_token_is_no_refresh_token(portal: Portal) -> None:
    answer = portal.log_in(scope="openid")
    for name in ("access_token", "id_token"):
        response = portal.refresh(answer[name])
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "token",
    ["A" * 10_000_000, "." * 10_000_000, base64.b64encode(b"[" * 100_000).decode() + ".e30.e30"],
    ids=["ten megabytes", "ten million parts", "a deep header"],
)
def test_what_is_too_long_is_refused_before_it_is_read(app: Server, token: str) -> None:
    started = time.perf_counter()
    with pytest.raises(Unauthorized):
        app.state.parts.tokens.read(token, now=time.time())
    assert time.perf_counter() - started < SECONDS
