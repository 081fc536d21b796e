"""Bearer tokens for client credentials (OAuth 2.0, RFC 6749 section 4.4)."""

import math
import threading
import time
from collections.abc import Callable

import httpx

from opendai_client.errors import ClientError, refusal, unreachable

# A token is not used this long before it ends, so that it does not end on its way to the server.
_MARGIN_SECONDS = 30.0


class TokenSource:
    """A token for one API client: taken when it is needed, kept until shortly before it ends. Thread-safe."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        *,
        http: httpx.Client,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token_url = token_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._http = http
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._usable_until = -math.inf

    def __repr__(self) -> str:
        return "TokenSource(credentials hidden)"

    def current(self) -> str:
        """The kept token, or a new one; callers that come meanwhile wait for it instead of asking too."""
        with self._lock:
            if self._now() >= self._usable_until:
                self._take()
            return self._token

    def renewed(self, refused: str) -> str:
        """A token other than the one that was refused; another thread may have taken it already."""
        with self._lock:
            if self._token == refused:
                self._take()
            return self._token

    def _take(self) -> None:
        asked_at = self._now()
        fields = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        try:
            response = self._http.post(self._token_url, data=fields)
        except httpx.RequestError as error:
            raise unreachable(f"POST {self._token_url}", error) from error
        if response.status_code != 200:
            raise refusal(response)
        token, lifetime = _grant(response)
        # A short token would never be kept if the whole margin were taken off it.
        self._usable_until = asked_at + max(lifetime - _MARGIN_SECONDS, lifetime / 2)
        self._token = token


def _grant(response: httpx.Response) -> tuple[str, float]:
    """The token and its lifetime in seconds; one that is no positive number is refused."""
    try:
        body = response.json()
    except ValueError:
        body = None
    grant = body if isinstance(body, dict) else {}
    token, lifetime = grant.get("access_token"), grant.get("expires_in")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise ClientError(response.status_code, "The answer of the token address holds no access_token.")
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or not 0 < lifetime < math.inf:
        raise ClientError(response.status_code, "The answer of the token address holds no usable expires_in.")
    return token, float(lifetime)
