"""python-keycloak, which takes the server for a Keycloak."""

from typing import Any

import pytest
from jwcrypto.jwk import JWK
from keycloak import KeycloakOpenID
from keycloak.exceptions import KeycloakAuthenticationError, KeycloakPostError
from keycloak.pkce_utils import generate_code_challenge, generate_code_verifier

from opendai.resources.api_clients.repository import Credentials
from tests.clients_of_others.provider import Provider, parameters_of
from tests.conftest import PASSWORD

pytestmark = pytest.mark.slow

BACK = "https://portal.example/back"


def connect(provider: Provider, credentials: Credentials) -> KeycloakOpenID:
    return KeycloakOpenID(
        server_url=f"{provider.url}/",
        realm_name="eggplant",
        client_id=credentials.client_id,
        client_secret_key=credentials.client_secret or None,
    )


@pytest.fixture(scope="module")
def robot(provider: Provider) -> KeycloakOpenID:
    """A program with rights of its own."""
    return connect(provider, provider.add_client("keycloak-robot"))


@pytest.fixture(scope="module")
def portal(provider: Provider) -> KeycloakOpenID:
    """A program with a secret, which is told people's passwords."""
    credentials = provider.add_client("keycloak-portal", role="login", grants=["password", "refresh_token"])
    return connect(provider, credentials)


def test_it_finds_everything(provider: Provider, robot: KeycloakOpenID) -> None:
    found = robot.well_known()
    assert found["issuer"] == provider.realm
    assert found["token_endpoint"] == f"{provider.openid}/token"


def test_a_program_gets_a_token_without_a_person(robot: KeycloakOpenID) -> None:
    answer = robot.token(grant_type="client_credentials")
    assert answer["refresh_expires_in"] == 0
    assert robot.introspect(answer["access_token"])["client_id"] == robot.client_id


def test_a_person_logs_in_by_password_and_out_again(portal: KeycloakOpenID) -> None:
    first = portal.token("alice", PASSWORD)
    seen = portal.introspect(first["access_token"])
    assert (seen["active"], seen["username"]) == (True, "alice")
    person: Any = portal.userinfo(first["access_token"])
    assert person["preferred_username"] == "alice"
    second = portal.refresh_token(first["refresh_token"])
    assert second["session_state"] == first["session_state"]
    assert portal.logout(second["refresh_token"]) == {}
    assert portal.introspect(second["access_token"]) == {"active": False}
    with pytest.raises(KeycloakAuthenticationError):
        portal.userinfo(second["access_token"])


def test_a_token_is_checked_by_the_list_of_keys_and_by_the_key_of_the_realm(
    provider: Provider, portal: KeycloakOpenID
) -> None:
    answer = portal.token("alice", PASSWORD)
    pem = f"-----BEGIN PUBLIC KEY-----\n{portal.public_key()}\n-----END PUBLIC KEY-----"
    expected = {"iss": provider.realm, "aud": portal.client_id, "exp": None}
    for key in (None, JWK.from_pem(pem.encode())):
        claims = portal.decode_token(answer["id_token"], key=key, check_claims=expected)
        assert claims["preferred_username"] == "alice"


def test_what_is_refused_is_an_error_of_the_library(portal: KeycloakOpenID) -> None:
    with pytest.raises(KeycloakAuthenticationError) as wrong:
        portal.token("alice", "wrong")
    assert wrong.value.response_code == 401
    with pytest.raises(KeycloakPostError) as unknown:
        portal.refresh_token("no token")
    assert unknown.value.response_code == 400


def test_a_person_logs_in_by_code_with_pkce(provider: Provider) -> None:
    is_logged_in_by_code(provider)


def test_a_person_logs_in_by_code_on_postgresql(provider_on_postgresql: Provider) -> None:
    is_logged_in_by_code(provider_on_postgresql)


def is_logged_in_by_code(provider: Provider) -> None:
    credentials = provider.add_client("keycloak-page", role="login", is_public=True, redirect_uris=[BACK])
    verifier = generate_code_verifier()
    challenge, method = generate_code_challenge(verifier)
    page = connect(provider, credentials)
    address = page.auth_url(
        BACK, "openid", "the-state", "the-nonce", code_challenge=challenge, code_challenge_method=method
    )
    carried = parameters_of(provider.log_in(address))
    assert (carried["state"], carried["iss"]) == ("the-state", provider.realm)
    answer = page.token(
        grant_type="authorization_code", code=carried["code"], redirect_uri=BACK, code_verifier=verifier
    )
    claims = page.decode_token(answer["id_token"], check_claims={"nonce": "the-nonce"})
    assert claims["preferred_username"] == "alice"
    page.logout(answer["refresh_token"])
    with pytest.raises(KeycloakPostError):
        page.refresh_token(answer["refresh_token"])
