"""Authlib: as a program by itself, and behind an application in which a person logs in by a browser."""

import json
import socket
from collections.abc import Iterator

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from playwright.sync_api import Page, expect

from tests.clients_of_others.provider import Provider, fill_in_login
from tests.clients_of_others.shop_application import ShopApplication
from tests.clients_of_others.sites import serving_application
from tests.conftest import PASSWORD

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop_url(provider: Provider) -> Iterator[str]:
    """The origin of an application that is running."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = f"http://localhost:{listener.getsockname()[1]}"
        addresses = [f"{origin}/back", f"{origin}/"]
        credentials = provider.add_client("authlib-shop", role="login", redirect_uris=addresses)
        with serving_application(ShopApplication(provider, credentials, origin), listener):
            yield origin


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_program_gets_a_token_that_opens_the_api(provider: Provider, method: str) -> None:
    # Authlib sends an id raw inside Basic, also one with colons as DAI's are.
    credentials = provider.add_client(f"authlib {method}", client_id=f"client:dai:{method}")
    with OAuth2Client(
        credentials.client_id, credentials.client_secret, token_endpoint_auth_method=method
    ) as client:
        client.fetch_token(f"{provider.openid}/token", grant_type="client_credentials")
        assert client.get(f"{provider.server.url}/ai/agents").json() == []


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_wrong_secret_is_told_as_what_it_is(provider: Provider, method: str) -> None:
    credentials = provider.add_client(f"authlib wrong {method}")
    with (
        OAuth2Client(credentials.client_id, "wrong", token_endpoint_auth_method=method) as client,
        pytest.raises(OAuthError) as caught,
    ):
        client.fetch_token(f"{provider.openid}/token", grant_type="client_credentials")
    assert caught.value.error == "invalid_client"


def test_a_login_is_refreshed_looked_at_and_given_back(provider: Provider) -> None:
    credentials = provider.add_client("authlib logins", role="login", grants=["password", "refresh_token"])
    with OAuth2Client(credentials.client_id, credentials.client_secret, scope="openid") as client:
        first = client.fetch_token(f"{provider.openid}/token", username="alice", password=PASSWORD)
        second = client.refresh_token(f"{provider.openid}/token")
        assert second["refresh_token"] != first["refresh_token"]
        introspection = f"{provider.openid}/token/introspect"
        assert client.introspect_token(introspection, token=second["access_token"]).json()["active"]
        assert client.revoke_token(f"{provider.openid}/revoke", token=second["refresh_token"]).is_success
        # The login has ended, and with it the access tokens of it.
        seen = client.introspect_token(introspection, token=second["access_token"])
    assert seen.json() == {"active": False}


def test_a_person_logs_in_and_out_by_a_browser(provider: Provider, shop_url: str, page: Page) -> None:
    page.goto(f"{shop_url}/login")
    expect(page).to_have_title("Log in - opendai")
    fill_in_login(page, password="wrong")
    expect(page.get_by_role("alert")).to_have_text("The username or the password is wrong.")
    expect(page.get_by_label("Username")).to_have_value("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{shop_url}/back?*")
    claims = json.loads(page.locator("body").inner_text())
    assert claims["preferred_username"] == claims["userinfo"]["preferred_username"] == "alice"
    assert claims["iss"] == provider.realm
    assert len(claims["nonce"]) > 10
    page.goto(f"{shop_url}/logout")
    page.wait_for_url(f"{shop_url}/?state=*")
    expect(page.locator("body")).to_have_text("Nobody is logged in.")
    # Here too: whoever comes next has to give a password.
    page.goto(f"{shop_url}/login")
    expect(page.get_by_label("Password")).to_be_visible()


def test_who_is_logged_in_already_is_not_asked_again(shop_url: str, page: Page) -> None:
    page.goto(f"{shop_url}/login")
    fill_in_login(page)
    page.wait_for_url(f"{shop_url}/back?*")
    first = json.loads(page.locator("body").inner_text())
    page.goto(f"{shop_url}/login")
    page.wait_for_url(f"{shop_url}/back?*")
    second = json.loads(page.locator("body").inner_text())
    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])
    assert second["nonce"] != first["nonce"]
