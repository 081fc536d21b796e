"""keycloak-js in the page of a shop: of another origin than the server, without a server of its own."""

from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.clients_of_others.packages import fetch_package
from tests.clients_of_others.provider import Provider, fill_in_login
from tests.clients_of_others.sites import Site

pytestmark = pytest.mark.slow

VERSION = "26.2.4"
SHA512 = "PnXpR3ubETGOt0B/Qt2lxmPbkZr5bc3vlQsOqDoTPPQsZRp7JjhTKxlJ187uWh8qJhvBab6Gsjb06a8ayOPfuw=="
SILENT = (
    "<!doctype html><title>Shop</title><script>parent.postMessage(location.href, location.origin)</script>"
)


@pytest.fixture(scope="module")
def shop_url(provider: Provider, shop_site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page that logs its visitor in; `on` says when."""
    package = fetch_package("keycloak-js", VERSION, SHA512, tmp_path_factory.mktemp("packages"))
    page = Path(__file__).with_name("keycloak_page.html").read_text(encoding="utf-8")
    script = (package / "lib" / "keycloak.js").read_text(encoding="utf-8")
    shop_site.files |= {"/shop.html": page, "/silent.html": SILENT, "/keycloak.js": script}
    address = f"{shop_site.origin}/shop.html?{urlencode({'provider': provider.url})}"
    addresses = [f"{address}&on={on}" for on in ("login-required", "check-sso")]
    provider.add_client(
        "keycloak-js",
        client_id="keycloak-js",
        role="login",
        is_public=True,
        redirect_uris=[*addresses, f"{shop_site.origin}/silent.html", f"{shop_site.origin}/shop.html"],
    )
    return address


def has_happened(page: Page, name: str) -> None:
    page.wait_for_function("name => happened.includes(name)", arg=name)


def log_in(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}&on=login-required")
    fill_in_login(page)
    expect(page.locator("#state")).to_have_text("logged in: alice")


def test_a_person_logs_in_and_the_page_calls_the_api(provider: Provider, shop_url: str, page: Page) -> None:
    log_in(page, shop_url)
    claims = page.evaluate("keycloak.idTokenParsed")
    assert (claims["iss"], claims["aud"]) == (provider.realm, "keycloak-js")
    called = """async (url) => {
        const headers = { Authorization: `Bearer ${keycloak.token}` };
        return (await fetch(url, { headers })).json();
    }"""
    assert page.evaluate(called, f"{provider.server.url}/ai/models") == []
    assert page.evaluate("keycloak.loadUserInfo()")["preferred_username"] == "alice"


def test_a_token_is_refreshed(shop_url: str, page: Page) -> None:
    log_in(page, shop_url)
    first = page.evaluate("keycloak.token")
    assert page.evaluate("keycloak.updateToken(-1)") is True
    has_happened(page, "onAuthRefreshSuccess")
    assert page.evaluate("keycloak.token") != first


def test_the_frame_says_that_nothing_has_changed(shop_url: str, page: Page) -> None:
    log_in(page, shop_url)
    page.wait_for_function("answers.filter(answer => answer === 'unchanged').length > 2")
    assert set(page.evaluate("answers")) == {"supported", "unchanged"}


def test_a_page_notices_that_the_session_has_ended(provider: Provider, shop_url: str, page: Page) -> None:
    log_in(page, shop_url)
    page.evaluate("keycloak.loginRequired = false")
    provider.log_everybody_out()
    has_happened(page, "onAuthLogout")
    assert page.evaluate("keycloak.authenticated") is False


def test_a_page_learns_without_being_left_whether_somebody_is_logged_in(shop_url: str, page: Page) -> None:
    page.goto(f"{shop_url}&on=check-sso")
    expect(page.locator("#state")).to_have_text("nobody")
    log_in(page, shop_url)
    with page.context.new_page() as another:
        left = []
        another.on(
            "framenavigated", lambda frame: left.append(frame.url) if frame == another.main_frame else None
        )
        another.goto(f"{shop_url}&on=check-sso")
        expect(another.locator("#state")).to_have_text("logged in: alice")
        assert left == [f"{shop_url}&on=check-sso"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_person_logs_out_and_comes_back_to_the_page(shop_url: str, page: Page, method: str) -> None:
    log_in(page, shop_url)
    back = f"{shop_url.partition('?')[0]}"
    page.evaluate("keycloak.loginRequired = false")
    page.evaluate("options => { keycloak.logout(options); }", {"redirectUri": back, "logoutMethod": method})
    page.wait_for_url(back)
    page.goto(f"{shop_url}&on=check-sso")
    expect(page.locator("#state")).to_have_text("nobody")
