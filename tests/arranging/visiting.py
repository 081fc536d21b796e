"""Alice in a browser, logged in in the shop, and what she sees when she logs out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.arranging.browsing import OPENID, Browser

LOGOUT = f"{OPENID}/logout"
LONG = "x" * 10_000


@dataclass(frozen=True)
class Visit:
    """Alice is logged in in the browser, and in the shop."""

    browser: Browser
    session: str
    login: str
    claims: dict[str, Any]
    sign: Callable[..., str]

    @property
    def hint(self) -> str:
        return self.sign()

    def log_out(self, **parameters: Any) -> Any:
        return self.browser.client.get(LOGOUT, params=parameters)


def is_logout_refusal(response: Any) -> bool:
    assert response.status_code == 400
    assert "location" not in response.headers
    assert "<h1>You cannot log out here</h1>" in response.text
    return True


def is_farewell(response: Any) -> bool:
    assert response.status_code == 200
    assert "<p>You are logged out.</p>" in response.text
    return True


def asks(response: Any) -> bool:
    assert response.status_code == 200
    assert "<h1>Log out?</h1>" in response.text
    return True
