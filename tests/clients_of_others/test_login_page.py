"""The login page in a real browser: by keyboard alone, on a narrow screen, and for those who have it read out."""

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.arranging.browsing import CHALLENGE
from tests.clients_of_others.provider import Provider, fill_in_login
from tests.clients_of_others.sites import Site
from tests.conftest import PASSWORD

# Properties that a browser computes, and that automatic checks of accessibility look at first.

pytestmark = pytest.mark.slow

ASKED = """() => ({
    language: document.documentElement.lang,
    title: document.title,
    headings: [...document.querySelectorAll("h1")].length,
    main: document.querySelectorAll("main").length,
    unnamed: [...document.querySelectorAll("input:not([type=hidden])")].filter((field) => !field.labels.length).length,
    doubled: document.querySelectorAll("[id]").length
        - new Set([...document.querySelectorAll("[id]")].map((element) => element.id)).size,
    width: document.documentElement.scrollWidth,
})"""

# The contrast of WCAG 2, from the colors that the browser paints. Most of them are system colors.
CONTRAST = """(element) => {
    const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const behind = [];
    for (let place = element; place; place = place.parentElement) {
        behind.unshift(getComputedStyle(place).backgroundColor);
    }
    const luminance = (...colors) => {
        for (const color of colors) { brush.fillStyle = color; brush.fillRect(0, 0, 1, 1); }
        const [red, green, blue] = [...brush.getImageData(0, 0, 1, 1).data].map((value) => {
            const part = value / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#ffffff";
    const paper = luminance(canvas, ...behind);
    const ink = luminance(canvas, ...behind, getComputedStyle(element).color);
    return (Math.max(paper, ink) + 0.05) / (Math.min(paper, ink) + 0.05);
}"""


@pytest.fixture(scope="module")
def address(provider: Provider, shop_site: Site) -> str:
    back = f"{shop_site.origin}/back.html"
    shop_site.files["/back.html"] = "<title>Back</title>"
    client = provider.add_client("W" * 100, role="login", is_public=True, redirect_uris=[back])
    return (
        f"{provider.openid}/auth?client_id={client.client_id}&redirect_uri={back}&response_type=code"
        f"&scope=openid&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )


@pytest.fixture
def login(page: Page, address: str) -> Page:
    page.goto(address)
    return page


def test_the_keyboard_is_enough(login: Page) -> None:
    expect(login.get_by_label("Username")).to_be_focused()
    login.keyboard.type("alice")
    login.keyboard.press("Tab")
    login.keyboard.type("wrong")
    login.keyboard.press("Enter")
    expect(login.get_by_role("alert")).to_be_visible()
    # The name is there already, so what has to be typed again has the focus.
    expect(login.get_by_label("Password")).to_be_focused()
    login.keyboard.type(PASSWORD)
    login.keyboard.press("Tab")
    expect(login.get_by_role("button", name="Log in")).to_be_focused()
    login.keyboard.press("Enter")
    expect(login).to_have_title("Back")


def test_what_has_the_focus_is_seen(login: Page) -> None:
    for name in ("Username", "Password"):
        outline = login.get_by_label(name).evaluate(
            "field => { field.focus(); return getComputedStyle(field).outlineStyle; }"
        )
        assert outline == "solid"


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_wider_than_the_screen(login: Page, width: int) -> None:
    login.set_viewport_size({"width": width, "height": 480})
    fill_in_login(login, username="w" * 255, password="wrong")
    expect(login.get_by_role("alert")).to_be_visible()
    assert login.evaluate(ASKED)["width"] <= width
    for name in ("Username", "Password"):
        box = login.get_by_label(name).bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        # Large enough for a finger (WCAG 2.2, 2.5.8).
        assert box["height"] >= 24


def test_the_page_can_be_read_out(login: Page) -> None:
    for _ in ("as it comes", "with a problem"):
        said = login.evaluate(ASKED)
        assert (said["language"], said["title"]) == ("en", "Log in - opendai")
        assert (said["headings"], said["main"], said["unnamed"], said["doubled"]) == (1, 1, 0, 0)
        fill_in_login(login, password="wrong")
        expect(login.get_by_role("alert")).to_be_visible()
    problem = login.get_by_label("Password")
    expect(problem).to_have_accessible_description("The username or the password is wrong.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(login: Page, scheme: Literal["light", "dark"]) -> None:
    login.emulate_media(color_scheme=scheme)
    for selector in ("h1", "label", "button"):
        assert login.locator(selector).first.evaluate(CONTRAST) >= 4.5


def test_nothing_that_the_page_does_is_against_its_policy(
    provider: Provider, page: Page, address: str
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(address)
    fill_in_login(page, password="wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    assert complaints == []
