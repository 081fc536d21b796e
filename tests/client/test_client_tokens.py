import threading

import httpx
import pytest

from opendai_client.client import Client
from opendai_client.errors import ClientError, ServerUnreachable
from opendai_client.tokens import TokenSource


class Issuer:
    """A token address: tokens are numbered; ``answer`` is what is sent in place of one."""

    def __init__(self, *, expires_in=300):
        self.now = 1000.0
        self.forms = []
        self.expires_in = expires_in
        self.answer = None

    def source(self):
        http = httpx.Client(transport=httpx.MockTransport(self._handle))
        return TokenSource("http://server/token", "lab 1", "s3cret&ü", http=http, now=lambda: self.now)

    def _handle(self, request):
        self.forms.append(request.content.decode())
        if self.answer is not None:
            return self.answer
        token = f"token-{len(self.forms)}"
        return httpx.Response(200, json={"access_token": token, "expires_in": self.expires_in})


def test_credentials_are_sent_as_a_form():
    issuer = Issuer()
    assert issuer.source().current() == "token-1"
    assert issuer.forms == ["grant_type=client_credentials&client_id=lab+1&client_secret=s3cret%26%C3%BC"]


@pytest.mark.parametrize(
    ("expires_in", "kept"), [(300, 270), (600.5, 570.5), (60, 30), (40, 20), (10, 5), (1, 0.5)]
)
def test_a_token_is_kept_until_it_nears_its_end(expires_in, kept):
    issuer = Issuer(expires_in=expires_in)
    source = issuer.source()
    source.current()
    issuer.now += kept - 0.01
    assert source.current() == "token-1"
    issuer.now += 0.02
    assert source.current() == "token-2"


@pytest.mark.parametrize("expires_in", [0, -1, True, "300", None, [300]])
def test_a_lifetime_that_is_none_is_refused_and_nothing_is_kept(expires_in):
    issuer = Issuer(expires_in=expires_in)
    source = issuer.source()
    for _ in range(2):
        with pytest.raises(ClientError, match="no usable expires_in"):
            source.current()
    assert len(issuer.forms) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"expires_in": 300}',
        b'{"access_token": "", "expires_in": 9}',
        b'{"access_token": "\\n", "expires_in": 9}',
    ],
)
def test_an_answer_without_a_token_is_refused(body):
    issuer = Issuer()
    issuer.answer = httpx.Response(200, content=body)
    with pytest.raises(ClientError, match="no access_token"):
        issuer.source().current()


def test_wrong_credentials_are_told_in_the_words_of_the_server():
    issuer = Issuer()
    body = {"error": "invalid_client", "error_description": "Invalid client credentials"}
    issuer.answer = httpx.Response(401, json=body)
    with pytest.raises(ClientError, match="Invalid client credentials"):
        issuer.source().current()


def test_a_token_address_that_is_away_is_unreachable():
    def refuse(request):
        raise httpx.ConnectError("refused", request=request)

    http = httpx.Client(transport=httpx.MockTransport(refuse))
    with pytest.raises(ServerUnreachable):
        TokenSource("http://server/token", "lab-1", "s3cret", http=http).current()


def test_a_refused_token_is_renewed_once_for_all_threads():
    issuer = Issuer()
    source = issuer.source()
    refused = source.current()
    renewed = []
    threads = [threading.Thread(target=lambda: renewed.append(source.renewed(refused))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert renewed == ["token-2"] * 8
    assert len(issuer.forms) == 2


def test_a_token_source_does_not_show_what_it_holds():
    source = Issuer().source()
    source.current()
    assert repr(source) == "TokenSource(credentials hidden)"


def _server_that_knows(good):
    calls: list[str] = []

    def handle(request):
        if request.url.path.endswith("/token"):
            token = f"token-{sum(call == 'token' for call in calls) + 1}"
            calls.append("token")
            return httpx.Response(200, json={"access_token": token, "expires_in": 300})
        calls.append(request.headers["Authorization"])
        is_good = request.headers["Authorization"] == f"Bearer {good}"
        return httpx.Response(200 if is_good else 401, json={"id": 7, "message": "The token has ended."})

    return Client("http://server", "ci", "s3cret", transport=httpx.MockTransport(handle)), calls


def test_a_call_that_is_answered_401_is_repeated_once_with_a_new_token():
    client, calls = _server_that_knows("token-2")
    assert client.run(7)["id"] == 7
    assert calls == ["token", "Bearer token-1", "token", "Bearer token-2"]


def test_a_call_that_is_answered_401_twice_is_refused():
    client, calls = _server_that_knows("token-9")
    with pytest.raises(ClientError, match="The token has ended"):
        client.run(7)
    assert calls == ["token", "Bearer token-1", "token", "Bearer token-2"]


def test_tokens_can_come_from_another_address():
    seen = []

    def handle(request):
        seen.append(str(request.url))
        return httpx.Response(200, json={"access_token": "t", "expires_in": 300})

    http = httpx.MockTransport(handle)
    Client("http://server", "ci", "s3cret", "https://login.example/token", transport=http).run(7)
    assert seen == ["https://login.example/token", "http://server/ai/runs/7"]
