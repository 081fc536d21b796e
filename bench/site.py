"""An opendai server to measure, with the programs that ask it and what they ask it about."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.accounts import make_clients
from bench.load.clients import AGENT_SERVICE, EXECUTIONS, STEPS, Reporting, Step
from bench.load.connection import Connection, request
from bench.servers import Server, serving
from opendai.engine import Outcome, Plan, parse_model, start_walk
from opendai.installation import install
from opendai.resources.api_clients.schemas import ApiClientIn
from opendai.settings import Settings

# A day: no token and no lease ends in the middle of a measure.
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Site:
    """A server, and the tokens of an administrator and of some agents."""

    settings: Settings
    server: Server
    admin: str
    agents: list[str]

    def post(self, path: str, body: object, token: str) -> Any:
        """The answer of one request, as JSON."""
        return ask(self.server, request("POST", path, token=token, body=json.dumps(body).encode()))

    def register(self, token: str) -> int:
        """The id of the agent that this program is from now on."""
        return int(self.post(f"{AGENT_SERVICE}/agents", {}, token)["agent_id"])

    def add_model(self) -> str:
        """The id of the sample model."""
        body = {"name": "PetClinic", "group": "admin", "modeljson": _document()}
        return str(self.post("/ai/models", body, self.admin)["modeluuid"])

    def start_run(self, model: str) -> int:
        """The id of a run that any agent may claim."""
        return int(self.post(EXECUTIONS, wanted_by_any(model), self.admin)["run_id"])

    def claimed_runs(self) -> list[Reporting]:
        """A run for each agent, claimed by it and ready to be reported."""
        model, walk, claimed = self.add_model(), steps_of_model(), []
        for token in self.agents:
            self.register(token)
            self.start_run(model)
            claim = self.post(f"{AGENT_SERVICE}/claims", {"wait_seconds": 5}, token)
            path = f"{AGENT_SERVICE}/runs/{claim['run_id']}/events"
            claimed.append(Reporting(path, token, claim["attempt"], walk))
        return claimed


@contextmanager
def opened_site(folder: Path, *, agents: int = 0, **chosen: Any) -> Iterator[Site]:
    """A fresh installation in this folder, with these settings, served."""
    settings = Settings(
        data_dir=folder,
        access_token_seconds=DAY_SECONDS,
        lease_seconds=DAY_SECONDS,
        log_format="json",
        **chosen,
    )
    install(settings)
    programs = [ApiClientIn(name="reader", role="admin")]
    programs += [ApiClientIn(name=f"agent {number}", role="agent") for number in range(agents)]
    made = make_clients(settings, *programs)
    with serving(settings, folder) as server:
        tokens = [_token(server, settings.realm, each.client_id, each.client_secret or "") for each in made]
        yield Site(settings, server, tokens[0], tokens[1:])


def ask(server: Server, asked: bytes) -> Any:
    """The answer to one request, as JSON."""
    connection = Connection(server.address)
    try:
        return json.loads(connection.ask(asked))
    finally:
        connection.close()


def wanted_by_any(model: str) -> dict[str, object]:
    """The body that starts a run for whichever agent is free."""
    return {"model_id": model, "agent": {"agent_id": "any", "is_hosted_agent": False}}


def steps_of_model() -> list[Step]:
    """The first steps of a random walk of the sample model."""
    walk = start_walk(parse_model(_document()), Plan("random", seed=1, step_limit=STEPS))
    steps = []
    for _ in range(STEPS):
        step = walk.next_step()
        assert step is not None, "the walk is as long as its limit"
        steps.append(Step(step.state, step.action, step.target))
        walk.record(Outcome.PASSED)
    return steps


def _document() -> str:
    return files("opendai.demo").joinpath("petclinic.modeljson.json").read_text(encoding="utf-8")


def _token(server: Server, realm: str, client_id: str, secret: str) -> str:
    grant = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    asked = request(
        "POST",
        f"/auth/realms/{realm}/protocol/openid-connect/token",
        body=urlencode(grant).encode(),
        content_type="application/x-www-form-urlencoded",
    )
    return str(ask(server, asked)["access_token"])
