import json

import httpx
import pytest

from opendai_client.client import Client
from opendai_client.errors import ClientError, ServerUnreachable

PNG = b"\x89PNG\r\n\x1a\n"


class Server:
    """Gives a token and otherwise the answers that a test has lined up; notes every request."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.pauses = []
        self.tokens = 0

    def client(self, **options):
        transport = httpx.MockTransport(self._handle)
        return Client(
            "https://dai.example/", "ci", "s3cret", transport=transport, sleep=self.pauses.append, **options
        )

    def _handle(self, request):
        if request.url.path.endswith("/token"):
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"token-{self.tokens}", "expires_in": 300})
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @property
    def asked(self):
        return [(request.method, request.url.raw_path.decode()) for request in self.requests]


def test_a_model_is_created_from_its_text():
    server = Server({"id": 1, "modeluuid": "5c0e"})
    assert server.client().create_model("Shop", "admin", '{"elements": []}') == {"id": 1, "modeluuid": "5c0e"}
    assert server.asked == [("POST", "/ai/models")]
    body = {"name": "Shop", "group": "admin", "modeljson": '{"elements": []}'}
    assert json.loads(server.requests[0].content) == body
    assert server.requests[0].headers["Authorization"] == "Bearer token-1"


def test_a_model_is_found_by_name_and_group():
    models = [{"id": 1, "name": "Shop", "group": "qa"}, {"id": 2, "name": "Shop", "group": "admin"}]
    server = Server(models, models)
    assert server.client().find_model("Shop", "admin") == models[1]
    assert server.client().find_model("Shop", "nobody") is None


def test_an_execution_is_started_with_what_was_given_and_nothing_else():
    server = Server(httpx.Response(201, json={"id": "e1", "run_id": 7}))
    execution = server.client().start_execution(
        model_id="5c0e", agent={"agent_id": "3", "is_hosted_agent": False}, seed=0, target_coverage=0.8
    )
    assert execution == {"id": "e1", "run_id": 7}
    assert server.asked == [("POST", "/execution_service/api/v1/executions")]
    assert json.loads(server.requests[0].content) == {
        "model_id": "5c0e",
        "agent": {"agent_id": "3", "is_hosted_agent": False},
        "execution_type": "executing",
        "seed": 0,
        "target_coverage": 0.8,
    }


@pytest.mark.parametrize(
    ("call", "answer", "asked", "result"),
    [
        (lambda c: c.test_cases("5c0e"), [{"id": 1}], ("GET", "/ai/testcases?modelid=5c0e"), [{"id": 1}]),
        (
            lambda c: c.execution("a/b"),
            {"id": 1},
            ("GET", "/execution_service/api/v1/executions/a%2Fb"),
            {"id": 1},
        ),
        (
            lambda c: c.abort_execution("e1"),
            httpx.Response(204),
            ("DELETE", "/execution_service/api/v1/executions/e1"),
            None,
        ),
        (lambda c: c.run(7), {"id": 7}, ("GET", "/ai/runs/7"), {"id": 7}),
        (lambda c: c.timings(7), [{"order": 1}], ("GET", "/ai/runs/7/timings"), [{"order": 1}]),
        (lambda c: c.run_logs(7), {"items": [{"id": 1}]}, ("GET", "/ai/runlogs/7"), [{"id": 1}]),
        (lambda c: c.screenshots(7), {"items": [], "total_count": 0}, ("GET", "/ai/runs/7/screenshots"), []),
        (
            lambda c: c.model_coverage(4),
            {"coverage": "1"},
            ("GET", "/ai/models/4/coverage"),
            {"coverage": "1"},
        ),
        (lambda c: c.agents(), [{"id": 3}], ("GET", "/ai/agents"), [{"id": 3}]),
    ],
)
def test_a_call_asks_its_address_and_answers_with_the_json(call, answer, asked, result):
    server = Server(answer)
    assert call(server.client()) == result
    assert server.asked == [asked]


def test_a_screenshot_is_fetched_from_the_store_without_our_token():
    away = httpx.Response(303, headers={"Location": "https://store.example/7.png?signature=abc"})
    server = Server(away, httpx.Response(200, content=PNG))
    assert server.client().screenshot_image("a1") == PNG
    assert server.requests[1].url == "https://store.example/7.png?signature=abc"
    assert "Authorization" not in server.requests[1].headers


def test_a_screenshot_may_be_sent_on_to_an_address_without_a_host():
    server = Server(httpx.Response(303, headers={"Location": "/objects/7"}), httpx.Response(200, content=PNG))
    assert server.client().screenshot_image("a1") == PNG
    assert str(server.requests[1].url) == "https://dai.example/objects/7"


def test_a_store_that_does_not_answer_is_named_without_its_signature():
    away = httpx.Response(303, headers={"Location": "https://store.example/7.png?signature=abc"})
    server = Server(away, httpx.ConnectError("refused"))
    with pytest.raises(ServerUnreachable) as caught:
        server.client(attempts=1).screenshot_image("a1")
    assert str(caught.value) == "GET https://store.example/7.png got no answer: refused."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "There is no model 9."}, "There is no model 9."),
        (
            {"message": "Bad.", "errors": [{"field": "name", "problem": "is missing"}]},
            "Bad. (name: is missing)",
        ),
        ({"detail": "Not yours."}, "Not yours."),
        (
            {"detail": [{"loc": ["body", "seed"], "msg": "no number"}, {"msg": "and"}]},
            "body.seed: no number; and",
        ),
        ({"error": "invalid_client", "error_description": "Bad credentials."}, "Bad credentials."),
        ({"title": "Bad Request", "type": "about:blank"}, "Bad Request"),
        (["what"], "The server answered 404 Not Found."),
        ({"detail": {"odd": 1}}, "The server answered 404 Not Found."),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_server(body, message):
    server = Server(httpx.Response(404, json=body))
    with pytest.raises(ClientError) as caught:
        server.client().run(9)
    assert (caught.value.status, caught.value.message) == (404, message)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[1]),
        httpx.Response(301),
        httpx.Response(204),
    ],
)
def test_an_answer_that_is_not_ours_is_an_error(answer):
    server = Server(answer)
    with pytest.raises(ClientError):
        server.client().run(9)


@pytest.mark.parametrize("fault", [502, 503, 504, 429, httpx.ConnectError("x"), httpx.ReadTimeout("x")])
def test_what_only_reads_is_tried_again_with_growing_pauses(fault):
    faults = [httpx.Response(fault) if isinstance(fault, int) else fault for _ in range(3)]
    server = Server(*faults, {"id": 7})
    assert server.client().run(7) == {"id": 7}
    assert server.pauses == [0.5, 1.0, 2.0]


def test_what_is_not_passing_is_not_tried_again():
    server = Server(httpx.Response(500))
    with pytest.raises(ClientError):
        server.client().run(7)
    assert server.pauses == []


@pytest.mark.parametrize("fault", [httpx.Response(503), httpx.Response(429), httpx.ReadTimeout("x")])
def test_what_writes_is_not_tried_again(fault):
    server = Server(fault)
    with pytest.raises((ClientError, ServerUnreachable)):
        server.client().start_execution(model_id="5c0e")
    assert len(server.requests) == 1


def test_the_last_failure_is_told_when_none_of_the_tries_succeeds():
    server = Server(*[httpx.Response(503, json={"detail": "Busy."})] * 5)
    with pytest.raises(ClientError, match="Busy"):
        server.client().run(7)
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("7", 7.0),
        ("0", 0.5),
        ("nan", 0.5),
        ("soon", 0.5),
        ("99999", 60.0),
        ("Thu, 01 Jan 2015 00:00:00 GMT", 0.5),
    ],
)
def test_a_server_that_asks_for_time_gets_it_within_reason(header, pause):
    server = Server(httpx.Response(429, headers={"Retry-After": header}), {"id": 7})
    server.client().run(7)
    assert server.pauses == [pause]


def test_a_date_to_come_back_at_is_understood():
    server = Server(httpx.Response(503, headers={"Retry-After": "Thu, 01 Jan 2099 00:00:00 GMT"}), {"id": 7})
    server.client().run(7)
    assert server.pauses == [60.0]


def test_neither_reprs_nor_errors_hold_a_secret():
    client = Server().client()
    assert repr(client) == "Client('https://dai.example')"
    assert "s3cret" not in repr(client.connection) + repr(vars(client)) + repr(
        vars(client.connection)["_tokens"]
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "dai.example",
        "ftp://dai.example",
        "http://",
        "http://[::1",
        "http://dai..example",
        "http://dai.example:99999",
        "http://me:pw@dai.example",
        "http://dai.example/?x=1",
    ],
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match=r"^The (address|port) of the server [^@]*$"):
        Client(url, "ci", "s3cret")


def test_certificates_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"ca\.pem cannot be read"):
        Client("https://dai.example", "ci", "s3cret", ca_cert_path=str(tmp_path / "ca.pem"))
