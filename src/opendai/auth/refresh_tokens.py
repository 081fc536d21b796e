"""Refresh tokens: the number of a login's generation, sealed, so that nothing but that number is kept of them."""

import base64
import hmac
import re
from dataclasses import dataclass

from opendai.tables import ApiClient

_FORM = re.compile(r"([0-9a-f-]{36})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a refresh token of ours says. Whether its generation is still good, the login's row knows."""

    login_id: str
    generation: int


class RefreshTokens:
    """Makes and reads refresh tokens, each bound to the program that it was given to."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, login_id: str, generation: int, client: ApiClient) -> str:
        return f"{login_id}.{generation}.{self._seal(login_id, generation, client)}"

    def read(self, text: str, client: ApiClient) -> RefreshToken | None:
        """What the text says, else None if it is no token of ours for this program."""
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        login_id, generation, seal = match[1], int(match[2]), match[3]
        is_ours = hmac.compare_digest(seal, self._seal(login_id, generation, client))
        return RefreshToken(login_id, generation) if is_ours else None

    def _seal(self, login_id: str, generation: int, client: ApiClient) -> str:
        # The number of the client's row, as a new client may get the id of one that was deleted.
        message = f"{login_id}.{generation}.{client.id}".encode()
        digest = hmac.digest(self._key, message, "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
