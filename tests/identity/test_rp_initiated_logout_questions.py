"""Logging out without an ID token: the person is asked first, in their own browser."""

import re
from collections.abc import Callable

from tests.arranging.browsing import REALM, RETURN, Browser, handed_over, hidden_fields
from tests.arranging.visiting import LOGOUT, Visit, asks, is_farewell, is_logout_refusal


def test_without_a_hint_the_person_is_asked(
    shop_visit: Visit, count_remaining: Callable[[], tuple[int, int]]
):
    page = shop_visit.log_out()
    assert asks(page)
    assert count_remaining() == (1, 1)
    assert re.findall(r"<script|<img|<link|<iframe|style=", page.text) == []
    policy = page.headers["content-security-policy"]
    assert "form-action 'self'; " in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert is_farewell(shop_visit.browser.submit(page))
    assert count_remaining() == (0, 0)


def test_after_the_question_the_browser_goes_where_a_client_may_have_it(
    shop_visit: Visit, count_remaining: Callable[[], tuple[int, int]]
):
    page = shop_visit.log_out(client_id="shop-id", post_logout_redirect_uri=RETURN, state="s")
    assert asks(page)
    assert "form-action 'self' https://shop.example.com;" in page.headers["content-security-policy"]
    assert handed_over(shop_visit.browser.submit(page)) == {"state": "s"}
    assert count_remaining() == (0, 0)


def test_an_address_that_nobody_answers_for_is_not_gone_to(shop_visit: Visit):
    page = shop_visit.log_out(post_logout_redirect_uri=RETURN)
    assert asks(page)
    assert is_farewell(shop_visit.browser.submit(page))


def test_another_site_cannot_log_somebody_out(
    shop_visit: Visit, count_remaining: Callable[[], tuple[int, int]]
):
    confirm = f"{LOGOUT}/logout-confirm"
    page = shop_visit.log_out()
    cookie = str(shop_visit.browser.session_cookie)
    assert is_logout_refusal(shop_visit.browser.client.post(confirm, data={"form_state": "x"}))
    assert is_logout_refusal(shop_visit.browser.client.post(confirm, data={"other": "x"}))
    shop_visit.browser.forget()
    shop_visit.browser.client.cookies.set("OPENDAI_SESSION", cookie, path=REALM)
    assert is_logout_refusal(shop_visit.browser.client.post(confirm, data=hidden_fields(page)))
    assert count_remaining() == (1, 1)


def test_who_is_not_logged_in_is_not_asked(browser: Browser):
    assert is_farewell(browser.client.get(LOGOUT))
    response = browser.client.get(LOGOUT, params={"client_id": "shop-id", "post_logout_redirect_uri": RETURN})
    assert response.headers["location"] == RETURN


def test_a_second_answer_to_the_question_is_as_good(shop_visit: Visit):
    page = shop_visit.log_out()
    assert is_farewell(shop_visit.browser.submit(page))
    assert is_farewell(shop_visit.browser.submit(page))


def test_another_realm_has_no_logout(browser: Browser):
    for response in (
        browser.client.get(LOGOUT.replace("eggplant", "master")),
        browser.client.post(
            f"{LOGOUT}/logout-confirm".replace("eggplant", "master"), data={"form_state": "x"}
        ),
    ):
        assert response.status_code == 404
        assert response.json() == {"error": "not_found", "error_description": "There is no such realm."}
