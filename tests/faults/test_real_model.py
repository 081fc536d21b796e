"""The whole way to a language model and back: a requirement becomes test cases that can be walked.

The model is as small as they come. Its answer is held to the shape by a grammar, as anybody's may be; what it
says inside of it proves nothing and is not looked at.
"""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.language_model import LanguageModel, install
from tests.faults.processes import Server, wait_until
from tests.resources.ai_servers.asking import SERVERS
from tests.services import WITHOUT_SERVICES

pytestmark = [pytest.mark.slow, pytest.mark.language_model]
_SECONDS = 290


def holding(**properties: Any) -> dict[str, Any]:
    names = list(properties)
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


def one(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "maxItems": 1, "items": item}


WORDS = {"type": "string", "minLength": 3, "maxLength": 16}
STEP = holding(action={"enum": ["e_FindOwners", "e_Veterinarians"]}, expectedResult=WORDS)
SHAPE = holding(testCases=one(holding(name=WORDS, testSteps=one(STEP))))
PAYLOAD = {
    "messages": [
        {"role": "system", "content": "You draft test cases as JSON."},
        {"role": "user", "content": "Draft a test case for: {{ requirement }}"},
    ],
    "temperature": 0,
    "seed": 1,
    "max_tokens": 300,
    "response_format": {"type": "json_schema", "json_schema": {"name": "drafts", "schema": SHAPE}},
}


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageModel]:
    if os.environ.get(WITHOUT_SERVICES) == "1":
        # The variable allows the model to be missing; without it, a model that cannot be fetched is a failure.
        pytest.skip(f"{WITHOUT_SERVICES}=1")
    packages = tmp_path_factory.mktemp("packages")
    install(packages)
    with LanguageModel(packages) as serving:
        yield serving


def test_a_requirement_becomes_a_test_case_by_a_real_model(
    start_server: Callable[..., Server], language_model: LanguageModel, petclinic: str
) -> None:
    server = start_server(ai_server_allowed_hosts="127.0.0.1")
    given = {
        "name": "SmolLM2",
        "url": language_model.url,
        "payload_template": json.dumps(PAYLOAD),
        "json_path": "choices[0].message.content",
        "timeout_seconds": _SECONDS,
    }
    with server.client("ci") as ci:
        model = ci.create_model("PetClinic", "admin", petclinic)["modeluuid"]
        ci.connection.send("POST", SERVERS, json=given)
        body = {"requirement": "A visitor finds an owner.", "model_id": model}
        ci.connection.send("POST", f"{SERVERS}/1/generations", json=body)
        path = f"{SERVERS}/1/generations/1"

        def found() -> Any:
            return ci.connection.send("GET", path).json()

        wait_until(lambda: found()["status"] not in {"QUEUED", "RUNNING"}, "it has ended", seconds=_SECONDS)
        done = found()
        assert (done["status"], done["failure"]) == ("FINISHED", None)
        [proposal] = done["proposals"]
        accepted = ci.connection.send("POST", f"{path}/accept", json={"proposals": [1]}).json()["accepted"]
        action = proposal["testSteps"][0]["action"]
        assert accepted[0]["testcase"].startswith(f'Action "{action}"')
        assert accepted[0]["not_translated"] == []
        run = ci.start_execution(model_id=model, test_case_id=accepted[0]["testcase_id"])
        wait_until(lambda: ci.execution(run["id"])["status"] == "PASSED", "the drafted test case is walked")
