"""The documents that programs read first: the configuration, the realm and the keys."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.arranging.browsing import ISSUER, OPENID, REALM
from tests.conftest import Person, Program
from tests.inprocess import TestClient

DOCUMENTS = [f"{REALM}/.well-known/openid-configuration", REALM, f"{OPENID}/certs"]


def test_the_configuration_names_every_endpoint_below_the_issuer(client: TestClient):
    found = client.get(f"{REALM}/.well-known/openid-configuration").json()
    assert found["issuer"] == ISSUER
    openid = f"{ISSUER}/protocol/openid-connect"
    assert {
        name: value for name, value in found.items() if name.endswith(("_endpoint", "_uri", "_iframe"))
    } == {
        "authorization_endpoint": f"{openid}/auth",
        "token_endpoint": f"{openid}/token",
        "introspection_endpoint": f"{openid}/token/introspect",
        "revocation_endpoint": f"{openid}/revoke",
        "userinfo_endpoint": f"{openid}/userinfo",
        "end_session_endpoint": f"{openid}/logout",
        "jwks_uri": f"{openid}/certs",
        "check_session_iframe": f"{openid}/login-status-iframe.html",
    }
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["id_token_signing_alg_values_supported"] == ["RS256"]
    assert found["subject_types_supported"] == ["public"]
    assert found["authorization_response_iss_parameter_supported"] is True


def test_the_issuer_is_that_of_the_tokens(client: TestClient, ci: Program):
    form = {"grant_type": "client_credentials", "client_id": ci.client_id, "client_secret": ci.secret}
    configuration = client.get(f"{REALM}/.well-known/openid-configuration").json()
    token = client.post(configuration["token_endpoint"], data=form).json()["access_token"]
    keys = KeySet.import_key_set(client.get(configuration["jwks_uri"]).json())
    decoded = jwt.decode(token, keys, algorithms=configuration["id_token_signing_alg_values_supported"])
    assert decoded.claims["iss"] == configuration["issuer"]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_no_header_of_a_request_changes_what_is_read(client: TestClient, path: str):
    usual = client.get(path)
    forged = client.get(
        path,
        headers={"Host": "localhost:9", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
    )
    assert forged.json() == usual.json()
    assert "evil" not in forged.text


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_page_of_any_origin_may_read_it_and_keep_it_for_a_while(client: TestClient, path: str):
    response = client.get(path, headers={"Origin": "https://shop.example.com"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers
    # A key signs ten seconds after it is listed.
    longest = 300 if "configuration" in path else 5
    assert response.headers["cache-control"] == f"public, max-age={longest}"


def test_the_keys_are_public_halves(client: TestClient):
    keys = client.get(f"{OPENID}/certs").json()["keys"]
    assert len(keys) == 1
    for key in keys:
        assert set(key) == {"kid", "kty", "alg", "use", "n", "e"}
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")


def test_the_realm_shows_the_key_that_signs(client: TestClient):
    realm = client.get(REALM).json()
    key = load_der_public_key(base64.b64decode(realm.pop("public_key"), validate=True))
    listed = client.get(f"{OPENID}/certs").json()["keys"][0]
    modulus = int.from_bytes(base64.urlsafe_b64decode(listed["n"] + "=="))
    assert isinstance(key, RSAPublicKey)
    assert key.public_numbers().n == modulus
    assert realm == {
        "realm": "eggplant",
        "token-service": f"{ISSUER}/protocol/openid-connect",
        "account-service": f"{ISSUER}/account",
        "tokens-not-before": 0,
    }


@pytest.mark.parametrize("realm", ["master", "Eggplant", "eggplant%00", "egg%2Fplant", "x" * 10_000])
@pytest.mark.parametrize("path", DOCUMENTS)
def test_another_realm_does_not_exist(client: TestClient, path: str, realm: str):
    response = client.get(path.replace("eggplant", realm))
    assert response.status_code == 404
    assert set(response.json()) == {"error", "error_description"}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_they_can_only_be_read(client: TestClient, path: str, admin: Person):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        response = client.request(method, path, headers=admin.bearer)
        assert response.status_code == 405
        assert set(response.json()) == {"error", "error_description"}
