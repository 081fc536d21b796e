"""Refresh tokens: the sealed number of a login's generation. The server keeps only that number."""

import base64
import hmac
import json
import re
from dataclasses import dataclass

from opendai.tables import ApiClient

_FORM = re.compile(r"([A-Za-z0-9_-]{1,100}\.[A-Za-z0-9_-]{1,400})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """The content of a refresh token. The row of the login tells whether its generation is still valid."""

    login_id: str
    generation: int


class RefreshTokens:
    """Makes and reads refresh tokens, each bound to the program that it was given to.

    They have the form of JWTs, because Keycloak's adapter for pages parses them and fails with any other text.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, login_id: str, generation: int, client: ApiClient) -> str:
        head = {"alg": "HS256", "typ": "JWT"}
        said = {"typ": "Refresh", "sid": login_id, "generation": generation}
        text = f"{_encode(json.dumps(head).encode())}.{_encode(json.dumps(said).encode())}"
        return f"{text}.{self._seal(text, client)}"

    def read(self, text: str, client: ApiClient) -> RefreshToken | None:
        """The content of the text; None if it is no token of ours for this program."""
        match = _FORM.fullmatch(text)
        if match is None or not hmac.compare_digest(match[2], self._seal(match[1], client)):
            return None
        # The seal is ours, so the content has the form written above.
        payload = match[1].partition(".")[2]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return RefreshToken(said["sid"], said["generation"])

    def _seal(self, text: str, client: ApiClient) -> str:
        # The number of the client's row, because a new client may get the id of a deleted one.
        return _encode(hmac.digest(self._key, f"{text}.{client.id}".encode(), "sha256"))


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
