"""Authenticated calls to one server, each sent once; the caller decides whether to repeat one."""

import ssl
from collections.abc import Mapping
from typing import Any, Self

import httpx

from opendai_client.errors import ClientError, refusal, unreachable
from opendai_client.tokens import TokenSource

TOKEN_PATH = "/auth/realms/eggplant/protocol/openid-connect/token"  # noqa: S105 - an address, not a token

Parameters = Mapping[str, str | int | float | bool]


class Connection:
    """One server, one API client. Thread-safe; ``close`` it, or use it as a context."""

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        token_url: str | None = None,
        timeout_seconds: float = 30.0,
        ca_cert_path: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = checked_address(url)
        self._http = httpx.Client(
            timeout=timeout_seconds,
            verify=_trusted(ca_cert_path),
            transport=transport,
            follow_redirects=False,
        )
        self._timeout_seconds = timeout_seconds
        address = checked_address(token_url) if token_url else self.url + TOKEN_PATH
        self._tokens = TokenSource(address, client_id, client_secret, http=self._http)

    def __repr__(self) -> str:
        return f"Connection({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        content_type: str | None = None,
        params: Parameters | None = None,
        timeout_seconds: float | None = None,
    ) -> httpx.Response:
        """The answer, 200 to 299; ClientError for a refusal, ServerUnreachable without an answer."""
        headers = {"Content-Type": content_type} if content_type else {}
        request = self._http.build_request(
            method,
            self.url + path,
            json=json,
            content=content,
            params=params,
            headers=headers,
            timeout=timeout_seconds or self._timeout_seconds,
        )
        return _accepted(self._authorised(request))

    def download(self, path: str) -> bytes:
        """The bytes behind an address that answers itself or sends on to an object store."""
        response = self._authorised(self._http.build_request("GET", self.url + path))
        if response.has_redirect_location:
            # A presigned address carries its own permission: our token is not for the store, and stores refuse
            # a request that is authorized twice.
            address = response.request.url.join(response.headers["Location"])
            response = self._exchange(self._http.build_request("GET", address))
        return _accepted(response).content

    def _authorised(self, request: httpx.Request) -> httpx.Response:
        """A 401 is met with one new token and one repetition: what was refused was not done."""
        token = self._tokens.current()
        response = self._exchange(request, token=token)
        if response.status_code == 401:
            response = self._exchange(request, token=self._tokens.renewed(token))
        return response

    def _exchange(self, request: httpx.Request, *, token: str | None = None) -> httpx.Response:
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        try:
            return self._http.send(request)
        except httpx.RequestError as error:
            address = request.url.copy_with(query=None, fragment=None)
            raise unreachable(f"{request.method} {address}", error) from error


def _accepted(response: httpx.Response) -> httpx.Response:
    if not response.is_success:
        raise refusal(response)
    return response


def answer(response: httpx.Response) -> Any:
    """The JSON of an answer; a page of a proxy or of some other server in its place is a ClientError."""
    try:
        return response.json()
    except ValueError as error:
        status = response.status_code
        raise ClientError(status, f"{response.request.url.path} did not answer with JSON.") from error


def checked_address(url: str) -> str:
    """The address without a slash at its end; ValueError with a sentence if it cannot be one of a server."""
    try:
        address = httpx.URL(url.strip())
        # Python refuses some names only when it resolves them, and then not as an error of the network.
        address.host.encode("idna")
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError("The address of the server is not a URL.") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise ValueError("The address of the server must begin with http:// or https:// and name a host.")
    if address.port is not None and not 0 < address.port < 65536:
        raise ValueError("The port of the server must be from 1 to 65535.")
    if address.userinfo or address.query or address.fragment:
        raise ValueError("The address of the server may have no credentials, query or fragment in it.")
    return str(address).rstrip("/")


def _trusted(ca_cert_path: str | None) -> ssl.SSLContext | bool:
    """The authorities to trust; ValueError with a sentence if the file is not there or holds none."""
    if ca_cert_path is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_cert_path)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"The certificates in {ca_cert_path} cannot be read.") from error
