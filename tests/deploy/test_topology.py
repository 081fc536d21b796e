"""Server, agent, PostgreSQL and S3 as separate processes, set up as docker-compose.yml does it."""

import base64
import csv
import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from opendai.settings import Settings
from opendai_client.client import Client
from tests.deploy.deployment import Deployment

pytestmark = pytest.mark.slow

_SECONDS_TO_WALK = 60
_SIGNATURE_OF_PNG = b"\x89PNG\r\n\x1a\n"
_AGENT = {"agent_id": "any", "is_hosted_agent": False}


@pytest.mark.parametrize("workers", [1, 2])
def test_agent_walks_both_kinds_of_run(
    deployment: Deployment, secret_files: Path, samples: dict[str, str], workers: int
) -> None:
    with deployment.server("server", "--workers", str(workers)) as server:
        url = server.address()
        with deployment.agent(url) as agent, _client(deployment, url) as client:
            model = client.create_model("PetClinic", "admin", samples["petclinic"])
            case = client.test_cases(model["modeluuid"])[0]
            explored = _walk(client, model_id=model["modeluuid"], seed=1)
            directed = _walk(client, model_id=model["modeluuid"], test_case_id=case["id"])
            assert agent.is_running, agent.log

            for run in (explored, directed):
                assert run["teststatus"] == "PASSED", agent.log
                timings = client.timings(run["id"])
                assert [timing["order"] for timing in timings] == list(range(1, len(timings) + 1))
                assert timings
                assert all(timing["timing"] > 0 for timing in timings)
            assert directed["testcase"] == case["testcaseName"]
            assert [known["isconnected"] for known in client.agents()] == [True]
            _check_screenshots(deployment, url, _token_of_admin(url, secret_files), client, explored)
    assert [agent.is_running, server.is_running] == [False, False]


def test_two_servers_start_at_once_on_an_empty_database(deployment: Deployment, secret_files: Path) -> None:
    with deployment.server("one") as one, deployment.server("two") as two:
        urls = [one.address(), two.address()]
        ready = [httpx.get(f"{url}/readyz", trust_env=False).status_code for url in urls]
        keys = [_key_id(_token_of_admin(url, secret_files)) for url in urls]
    assert ready == [200, 200]
    assert keys[0] == keys[1]
    assert _count(deployment, secret_files, "users") == 1
    assert _count(deployment, secret_files, "signing_keys") == 1


def test_the_database_asks_for_the_password(deployment: Deployment) -> None:
    # Otherwise the tests above would pass without the file that it comes from.
    without = Settings(database_url=deployment.settings("server")["OPENDAI_DATABASE_URL"])
    with pytest.raises(OperationalError, match="no password supplied"):
        create_engine(without.database).connect()


@contextmanager
def _client(deployment: Deployment, url: str) -> Iterator[Client]:
    printed = deployment.run("server", "clients", "create", "ci", "--role", "admin", "--public-url", url)
    row = next(csv.DictReader(io.StringIO(printed)))
    with Client(url, row["client_id"], row["client_secret"], row["token_url"]) as client:
        yield client


def _walk(client: Client, **what: Any) -> dict[str, Any]:
    """The run, once it is over."""
    execution = client.start_execution(agent=_AGENT, **what)
    give_up_at = time.monotonic() + _SECONDS_TO_WALK
    while client.execution(str(execution["id"]))["status"] == "INCOMPLETE":
        assert time.monotonic() < give_up_at, client.run(execution["run_id"])
        time.sleep(0.1)
    return client.run(execution["run_id"])


def _check_screenshots(
    deployment: Deployment, url: str, token: str, client: Client, run: dict[str, Any]
) -> None:
    screenshots = client.screenshots(run["id"])
    assert screenshots
    address = f"{url}/ai/screenshots/{screenshots[0]['artifactid']}"
    sent_on = httpx.get(address, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert sent_on.status_code == 303
    storage = urlsplit(deployment.settings("server")["OPENDAI_STORAGE_URL"])
    public = dict(pair.split("=", 1) for pair in storage.query.split("&"))["public_endpoint_url"]
    assert sent_on.headers["Location"].startswith(f"{public}/{storage.netloc}/")
    picture = httpx.get(sent_on.headers["Location"], trust_env=False)
    assert picture.status_code == 200
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.content.startswith(_SIGNATURE_OF_PNG)


def _token_of_admin(url: str, secret_files: Path) -> str:
    password = (secret_files / "admin_password").read_text(encoding="utf-8")
    answer = httpx.post(
        f"{url}/ai/auth", data={"username": "admin", "password": password}, trust_env=False, timeout=30
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def _key_id(token: str) -> str:
    header = token.split(".", maxsplit=1)[0]
    kid: str = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]
    return kid


def _count(deployment: Deployment, secret_files: Path, table: str) -> int:
    settings = Settings(
        database_url=deployment.settings("server")["OPENDAI_DATABASE_URL"],
        database_password_file=secret_files / "database_password",
    )
    engine = create_engine(settings.database)
    with engine.connect() as connection:
        count: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    engine.dispose()
    return count
