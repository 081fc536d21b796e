"""The keys of an outside identity provider: fetched seldom, kept when it is away."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import ValidationError

from opendai.api.server import Server
from opendai.credentials import provider_keys
from opendai.database import Database
from opendai.resources.accounts.outside_users import outside_provider
from opendai.settings import Settings
from tests.arranging.parts import connections_in_use
from tests.credentials.outside.provider import (
    DISCOVERY,
    EC,
    KEYS,
    OTHER,
    RSA,
    Provider,
    TokenOf,
    Use,
    bearer,
    me,
    sign,
)
from tests.inprocess import TestClient


def test_a_new_key_is_fetched_when_a_token_names_it(
    client: TestClient,
    use: Use,
    provider: Provider,
    token: TokenOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provider_keys, "_PAUSE_SECONDS", 0.0)
    assert me(client, token("erin", "user"))[0] == 200
    provider.publish(RSA, OTHER)
    rotated = bearer(sign(provider.claims("erin", "user"), OTHER))
    assert me(client, rotated)[0] == 200
    assert provider.asked == [DISCOVERY, KEYS] * 2


def test_a_withdrawn_key_is_refused_once_the_keys_are_old(
    client: TestClient,
    use: Use,
    provider: Provider,
    token: TokenOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provider_keys, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(provider_keys, "_FRESH_SECONDS", 0.0)
    headers = token("erin", "user")
    assert client.get("/ai/models", headers=headers).status_code == 200
    provider.publish(OTHER)
    assert client.get("/ai/models", headers=headers).status_code == 401


def test_a_flood_of_unknown_keys_fetches_once(
    client: TestClient, use: Use, provider: Provider, token: TokenOf
) -> None:
    assert me(client, token("erin", "user"))[0] == 200
    for number in range(20):
        forged = bearer(sign(provider.claims("erin", "admin"), OTHER, kid=f"kid {number}"))
        assert client.get("/ai/models", headers=forged).status_code == 401
    assert provider.asked == [DISCOVERY, KEYS]


def test_while_one_fetches_the_others_are_not_held_up_and_hold_no_connection(
    client: TestClient, use: Use, provider: Provider, database: Database, token: TokenOf
) -> None:
    is_asked, may_go, held = threading.Event(), threading.Event(), []

    def wait() -> None:
        is_asked.set()
        may_go.wait(10)
        # The worker has a connection now and then; the one of a request would be there all the time.
        ends_at = time.monotonic() + 2
        while connections_in_use(database) and time.monotonic() < ends_at:
            time.sleep(0.001)
        held.append(connections_in_use(database))

    provider.on_request = wait
    headers = token("erin", "user")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.get, "/ai/models", headers=headers)
        assert is_asked.wait(10)
        second = client.get("/ai/models", headers=headers)
        may_go.set()
        assert first.result(10).status_code == 200
    assert second.status_code == 503
    assert second.headers["retry-after"] == "1"
    assert held == [0, 0]


def test_a_provider_that_goes_away_does_not_log_anybody_out(
    client: TestClient,
    use: Use,
    provider: Provider,
    token: TokenOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provider_keys, "_FRESH_SECONDS", 0.0)
    monkeypatch.setattr(provider_keys, "_PAUSE_SECONDS", 0.0)
    assert me(client, token("erin", "user"))[0] == 200
    provider.documents[DISCOVERY] = 502
    assert me(client, token("erin", "user"))[0] == 200
    unknown = bearer(sign(provider.claims("erin", "user"), OTHER))
    assert client.get("/ai/models", headers=unknown).status_code == 503


@pytest.mark.parametrize(
    ("path", "document"),
    [
        (DISCOVERY, 500),
        (DISCOVERY, 302),
        (DISCOVERY, b"<html>"),
        (DISCOVERY, b"[" * 100_000),
        (DISCOVERY, []),
        (DISCOVERY, {"issuer": "http://other.example", "jwks_uri": "http://127.0.0.1:1/"}),
        (DISCOVERY, {}),
        (KEYS, 404),
        (KEYS, {}),
        (KEYS, {"keys": {}}),
        (KEYS, b'{"keys": ["' + b"x" * (1 << 18) + b'"]}'),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_without_keys_nobody_can_be_known(
    client: TestClient,
    use: Use,
    provider: Provider,
    token: TokenOf,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    document: Any,
) -> None:
    provider.documents[path] = document
    headers = token("erin", "user")
    for _ in range(2):
        response = client.get("/ai/models", headers=headers)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json() == {"message": "The identity provider does not answer. Try again in a moment."}
    assert provider.asked.count(path) == 1
    monkeypatch.setattr(provider_keys, "_PAUSE_WITHOUT_KEYS", 0.0)
    use()
    del provider.documents[path]
    assert client.get("/ai/models", headers=headers).status_code == 200


def test_a_provider_that_is_not_there_is_503(client: TestClient, use: Use, provider: Provider) -> None:
    use(oidc_issuer="http://127.0.0.1:1/realms/company")
    claims = provider.claims("erin", "user", iss="http://127.0.0.1:1/realms/company")
    assert client.get("/ai/models", headers=bearer(sign(claims, RSA))).status_code == 503
    assert client.get("/ai/auth", headers=bearer(sign(claims, RSA))).status_code == 503


def test_the_keys_can_be_named_by_a_setting(
    client: TestClient, use: Use, provider: Provider, token: TokenOf
) -> None:
    use(oidc_jwks_url=f"http://127.0.0.1:{provider.port}{KEYS}")
    assert me(client, token("erin", "user"))[0] == 200
    assert provider.asked == [KEYS]


def test_keys_on_another_private_host_are_not_fetched(
    client: TestClient, use: Use, provider: Provider, token: TokenOf
) -> None:
    provider.documents[DISCOVERY] = {
        "issuer": provider.issuer,
        "jwks_uri": f"http://127.0.0.2:{provider.port}{KEYS}",
    }
    assert client.get("/ai/models", headers=token("erin", "user")).status_code == 503
    assert provider.asked == [DISCOVERY]


def test_only_keys_for_signatures_count_and_odd_ones_are_passed_over(
    client: TestClient, app: Server, use: Use, provider: Provider, token: TokenOf
) -> None:
    outside = app.state.parts.outside
    assert outside
    public = RSA.as_dict(private=False)
    others: list[Any] = [
        {**public, "kid": "for encryption", "use": "enc"},
        {**public, "kid": "for another algorithm", "alg": "RS512"},
        {**public, "kid": "for an algorithm of another kind", "alg": "ES256"},
        {**public, "kid": "without a number", "n": None},
        {**public, "kid": "with a broken number", "n": "!"},
        {**public, "kid": 7},
        {**public, "kid": "short", "n": "g" + "A" * 169 + "Q"},
        {**EC.as_dict(private=False), "kid": "off the curve", "x": "AAAA"},
        {"kty": "oct", "kid": "a secret", "k": "c2VjcmV0"},
        {"kty": ["RSA"], "kid": "odd"},
        "text",
    ]
    provider.keys = [*others, {**public, "alg": "RS256"}]
    assert me(client, token("erin", "user"))[0] == 200
    assert outside._keys._keys.keys() == {"one"}
    claims = provider.claims("erin", "admin")
    names = [entry["kid"] for entry in others if isinstance(entry, dict)]
    for kid in names:
        assert client.get("/ai/models", headers=bearer(sign(claims, RSA, kid=str(kid)))).status_code == 401
    # A key that says what it is for verifies nothing else.
    assert client.get("/ai/models", headers=bearer(sign(claims, RSA, alg="PS256"))).status_code == 401


@pytest.mark.parametrize(
    "url", ["ftp://host/", "host", "http://", "https://user@host/", "https://host/#part"]
)
@pytest.mark.parametrize("name", ["oidc_issuer", "oidc_jwks_url"])
def test_a_setting_that_is_no_address_is_refused(name: str, url: str) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate({name: url})


@pytest.mark.parametrize("issuer", ["http://a b/", "http://ä.example/", "http://host:0/", "http://a..b/"])
def test_an_issuer_that_cannot_be_called_ends_the_start(
    settings: Settings, database: Database, issuer: str
) -> None:
    with pytest.raises(ValueError, match=r"The address .* of the identity provider must "):
        outside_provider(settings.model_copy(update={"oidc_issuer": issuer}), database)
