"""A world for the cases: people, programs, and things that come into being when a case first asks for them."""

import contextlib
import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest

from opendai.api.server import Server
from opendai.credentials.passwords import Passwords
from opendai.outbound.http import Answer
from tests.arranging.browsing import RETURN, Browser, make_login_client
from tests.arranging.parts import replaced
from tests.arranging.walking import ANY_AGENT, HandAgent, log, send_screenshot, start, step
from tests.conftest import MakePerson, Person, Program
from tests.inprocess import TestClient
from tests.rows import count_rows

# Small, so that the examples made from it can be read.
DOCUMENT: dict[str, Any] = {
    "testcases": [{"testcaseName": "Pay", "testcase": 'State "Basket"', "testcaseOrigin": "RCI"}],
    "elements": [
        {"id": 0, "name": "Shop", "type": "Root", "stateType": "Root", "parentId": None},
        {"id": 1, "name": "Initial", "type": "State", "stateType": "Start", "parentId": 0},
        {"id": 2, "name": "Basket", "type": "State", "stateType": "Normal", "parentId": 0},
        {
            "id": 3,
            "name": "Open",
            "type": "Action",
            "parentId": 1,
            "actionType": "Normal",
            "connectedStates": [{"stateRef": 2}],
        },
    ],
}
AI_SERVER = {
    "name": "House model",
    "url": "https://llm.example/v1/chat/completions",
    "description": "Drafts test cases.",
    "payload_template": '{"model": "small", "messages": [{"role": "user", "content": "{{ requirement }}"}]}',
    "json_path": "choices[0].message.content",
}
UNKNOWN_UUID = "00000000-0000-4000-8000-000000000000"
UNKNOWN_ID = 987_654_321


class Caller:
    """Somebody who sends requests; the stranger has no token."""

    def __init__(self, client: TestClient, bearer: dict[str, str]) -> None:
        self._client = client
        self.bearer = bearer

    def ask(self, method: str, path: str, **request: Any) -> Any:
        headers = {**self.bearer, **request.pop("headers", {})}
        return self._client.request(method, path, headers=headers, **request)

    def get(self, path: str, **request: Any) -> Any:
        return self.ask("GET", path, **request)

    def post(self, path: str, **request: Any) -> Any:
        return self.ask("POST", path, **request)

    def put(self, path: str, **request: Any) -> Any:
        return self.ask("PUT", path, **request)

    def patch(self, path: str, **request: Any) -> Any:
        return self.ask("PATCH", path, **request)

    def delete(self, path: str, **request: Any) -> Any:
        return self.ask("DELETE", path, **request)


class SayingOne:
    """Stands where the way out is: whoever is asked answers the same chat completion."""

    def __init__(self, text: str) -> None:
        self._body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()

    def exchange(self, *_: Any, **__: Any) -> Answer:
        return Answer(200, {}, self._body)


class World:
    """Alice owns things in the group "shop", Bob is of another group, Carol is in no group but her own.

    Nobody has signed up and has no rights, the lab is the API client of an agent, the stranger has no token.
    """

    def __init__(
        self,
        app: Server,
        client: TestClient,
        people: dict[str, Person],
        lab: Program,
        make_person: MakePerson,
    ) -> None:
        self.app = app
        self.client = client
        self.people = people
        self._lab = lab
        self._make_person = make_person
        self._kept: dict[str, Any] = {}
        self._changes = contextlib.ExitStack()

    def caller(self, name: str) -> Caller:
        if name == "stranger":
            return Caller(self.client, {})
        if name == "carol":
            return self.carol
        return Caller(self.client, (self._lab if name == "lab" else self.people[name]).bearer)

    @property
    def credentials(self) -> tuple[str, str]:
        """The id and the secret of the lab's client."""
        return self._lab.client_id, self._lab.secret

    def once(self, method: str, path: str, body: Any, *, by: str = "alice") -> Any:
        """The object that a request made; only the first call sends the request."""
        key = f"{method} {path} {json.dumps(body)}"
        if key not in self._kept:
            self._kept[key] = made(self.caller(by).ask(method, path, json=body))
        return self._kept[key]

    @property
    def admin(self) -> Caller:
        return self.caller("admin")

    @property
    def alice(self) -> Caller:
        return self.caller("alice")

    @property
    def bob(self) -> Caller:
        return self.caller("bob")

    @cached_property
    def carol(self) -> Caller:
        return Caller(self.client, self._make_person("carol", "User", ["carol"]).bearer)

    @cached_property
    def agent(self) -> Any:
        """An agent that was written down by hand."""
        body = {"name": "lab-1", "agenttype": "RUN", "suite": "Shop.suite"}
        return made(self.admin.post("/ai/agents", json=body))

    @cached_property
    def model(self) -> Any:
        """Alice's model, with one test case."""
        body = {"name": "Shop", "group": "shop", "modeljson": json.dumps(DOCUMENT)}
        return made(self.alice.post("/ai/models", json=body))

    @cached_property
    def browser(self) -> Browser:
        """A browser that comes from the page of a shop, which lets people log in here."""
        make_login_client(self.app.state.parts.database, "shop", RETURN)
        return Browser(self.client)

    @cached_property
    def test_case(self) -> Any:
        return made(self.alice.get("/ai/testcases", params={"modelid": self.model["modeluuid"]}))[0]

    @cached_property
    def walking_agent(self) -> HandAgent:
        """An agent that speaks our protocol, for runs that end as a case wants them to."""
        return HandAgent(self.client, self._lab)

    @cached_property
    def ai_server(self) -> Any:
        """A server that drafts test cases."""
        return made(self.admin.post("/api/rest/latest/ai-servers", json=AI_SERVER))

    def answer_for_ai_servers(self, text: str) -> None:
        """From now on every AI server answers with this text."""
        patch = pytest.MonkeyPatch()
        patch.setattr(self.app.state.parts.ai_servers, "exchange", SayingOne(text).exchange)
        self._changes.callback(patch.undo)

    def queued_run(self) -> Any:
        """A run of Alice's model that waits for an agent."""
        return start(
            self.client,
            self.people["alice"],
            model_id=self.model["modeluuid"],
            agent=ANY_AGENT,
            seed=4711,
            test_case_id=self.test_case["id"],
        )

    def walked_run(self) -> Any:
        """A run that the agent has claimed."""
        agent = self.walking_agent
        self.queued_run()
        return agent.take()

    @cached_property
    def run_id(self) -> int:
        """A run that passed, with two lines of log."""
        run_id: int = self.walked_run()["run_id"]
        first = step(1, action="Open", target="Basket", started_at="2026-11-22T09:30:00.120+00:00")
        made(self.walking_agent.report(run_id, [first, log("The basket is there.", step=1)]))
        made(self.walking_agent.finish(run_id, last=2, reason="The test case was walked."))
        return run_id

    @cached_property
    def failed_run_id(self) -> int:
        """A run whose only step failed."""
        run_id: int = self.walked_run()["run_id"]
        failure = step(1, action="Open", target="Basket", passed=False, message="The page is empty.")
        made(self.walking_agent.report(run_id, [failure]))
        made(
            self.walking_agent.finish(
                run_id,
                last=1,
                status="FAILED",
                reason="The page is empty.",
                failed_state="Initial",
                failed_action="Open",
            )
        )
        return run_id

    @cached_property
    def broken_run_id(self) -> int:
        """A run that could not be walked."""
        run_id: int = self.walked_run()["run_id"]
        made(self.walking_agent.finish(run_id, status="ERROR", reason="The browser did not start."))
        return run_id

    @cached_property
    def execution_id(self) -> str:
        """The task instance of the run that passed."""
        run: Any = made(self.alice.get(f"/ai/runs/{self.run_id}"))
        return str(run["testconfigtask"])

    @cached_property
    def screenshot_id(self) -> str:
        """A picture of the run that passed."""
        sent = send_screenshot(self.client, self.alice.bearer, run_id=self.run_id, state="Basket", action="")
        return str(made(sent)["artifactid"])

    def replace(self, part: str, value: Any) -> None:
        """Put another long-lived part in the place of the application's, until `restore`."""
        self._changes.enter_context(replaced(self.app, **{part: value}))

    def restore(self) -> None:
        self._changes.close()

    def crowd_the_logins(self) -> None:
        """As if more logins were waiting than may wait."""
        self.replace("passwords", Passwords(at_once=1, waiting=-1, pause_seconds=0.01))

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        return count_rows(self.app.state.parts.database)


def made(response: Any) -> Any:
    """The body of a request that must succeed."""
    assert response.status_code < 300, response.text
    return response.json()


@pytest.fixture
def world(
    app: Server,
    client: TestClient,
    admin: Person,
    alice: Person,
    bob: Person,
    nobody: Person,
    lab: Program,
    make_person: MakePerson,
) -> Iterator[World]:
    people = {"admin": admin, "alice": alice, "bob": bob, "nobody": nobody}
    made_up = World(app, client, people, lab, make_person)
    yield made_up
    made_up.restore()
    client.cookies.clear()
