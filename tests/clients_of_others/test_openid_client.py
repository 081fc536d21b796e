"""openid-client in Node.js, which is certified and takes nothing that the standards do not allow."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.clients_of_others.packages import NODE, fetch_package
from tests.clients_of_others.provider import Provider

pytestmark = pytest.mark.slow

BACK = "https://portal.example/back"
SCRIPT = "openid_client.mjs"
PACKAGES = {
    "openid-client": (
        "6.8.9",
        "6mXMRNJxDOf6BflEWLXul1UwzLFz++9Ofz1PYwPwwsJsyXBsbfkO+Jo255SW1qnFNLYz4EJWHz42X4OJJrya/g==",
    ),
    "jose": (
        "6.2.15",
        "qdF6ewcZARtef63fJ9AKKZPgxw+t7USH6HLXYcD4CrdmSvDp79rpJSPFEKc90QBeGS63u1KQtN2MZQHC0yDIzA==",
    ),
    "oauth4webapi": (
        "3.8.8",
        "8N28E+a/oxfXWBgOMt+ZP/JUf/XR+IFbvkAEPP3gznXOMv9BpAAwiIj0TFNz3tGTPc0ZQ8zmWBNgN1nAys0gng==",
    ),
}


@pytest.fixture
def program(provider: Provider, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    for name, (version, sha512) in PACKAGES.items():
        fetch_package(name, version, sha512, tmp_path)
    script = tmp_path / SCRIPT
    script.write_bytes(Path(__file__).with_name(SCRIPT).read_bytes())
    # This library encodes an id inside Basic, where others send it raw.
    robot = provider.add_client("node robot", client_id="client:dai:node")
    page = provider.add_client("node page", role="login", is_public=True, redirect_uris=[BACK])
    given = [provider.realm, robot.client_id, robot.client_secret, page.client_id, BACK]
    pipe = subprocess.PIPE
    with subprocess.Popen([NODE, str(script), *given], stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.kill()


def test_openid_client_accepts_everything(provider: Provider, program: subprocess.Popen[str]) -> None:
    assert program.stdout
    asked = json.loads(program.stdout.readline())
    assert asked["seen"]["active"] is True
    assert asked["seen"]["client_id"] == "client:dai:node"
    print(provider.log_in(asked["address"]), file=program.stdin, flush=True)
    told = json.loads(program.stdout.readline())
    assert told["claims"]["iss"] == provider.realm
    assert told["person"]["preferred_username"] == told["claims"]["preferred_username"] == "alice"
    assert told["refusal"] == "invalid_grant"
    assert urlsplit(told["leave"]).path.endswith("/logout")
    assert "You are logged out." in httpx.get(told["leave"]).text
