"""Credentials by the command line, beside a running server and without one."""

import csv
import io
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import PASSWORD, Command, Said
from tests.faults.processes import ADMIN_PASSWORD, Server, wait_until


def _credentials(said: Said) -> dict[str, str]:
    assert (said.code, said.errors) == (0, "")
    lines = said.output.split("\n")
    assert len(lines) == 3
    assert lines[0] == "client_id,client_secret,token_url"
    assert lines[2] == ""
    return next(csv.DictReader(io.StringIO(said.output)))


def _token(credentials: dict[str, str]) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials["client_id"],
        "client_secret": credentials["client_secret"],
    }
    return httpx.post(credentials["token_url"], data=form)


def _runs(server: Server, token: str) -> int:
    return httpx.get(f"{server.url}/ai/runs", headers={"Authorization": f"Bearer {token}"}).status_code


def _log_in(server: Server, username: str, password: str) -> httpx.Response:
    return httpx.post(f"{server.url}/ai/auth", json={"username": username, "password": password})


@pytest.mark.slow
def test_a_client_made_beside_a_server_gets_tokens_until_it_is_revoked(
    process: Command, command: Command, running: Server, monkeypatch: pytest.MonkeyPatch
):
    # In a process of its own, which shares nothing with the server but its data folder.
    folder = ("--data-dir", str(running.folder))
    credentials = _credentials(process("clients", "create", "nightly", "--role", "admin", *folder))
    token_path = "/auth/realms/eggplant/protocol/openid-connect/token"
    assert credentials["token_url"] == running.url + token_path
    assert ":" not in credentials["client_id"]
    answer = _token(credentials)
    assert answer.status_code == 200
    token = answer.json()["access_token"]
    assert _runs(running, token) == 200

    monkeypatch.setenv("OPENDAI_DATA_DIR", str(running.folder))
    again = command("clients", "create", "nightly")
    assert (again.code, again.output) == (1, "")
    assert again.errors == 'opendai: There is an API client "nightly" already.\n'

    assert command("clients", "revoke", "nightly").output == "The API client nightly was revoked.\n"
    # A server remembers a caller for a second at most.
    wait_until(lambda: _runs(running, token) == 401, "the token is refused", seconds=1.5)
    assert _token(credentials).status_code == 401
    listed = command("clients", "list").output.splitlines()
    assert f"{credentials['client_id']}\tnightly\tadmin\trevoked" in listed


@pytest.mark.slow
def test_a_user_made_beside_a_server_logs_in_until_the_password_changes(
    command: Command, running: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENDAI_DATA_DIR", str(running.folder))
    made = command("users", "create", "carol", "--group", "admin", stdin="open sesame 1\n")
    assert (made.code, made.output, made.errors) == (0, "The user carol was created.\n", "")
    token = _log_in(running, "carol", "open sesame 1").json()["access_token"]
    assert _runs(running, token) == 200

    changed = command("users", "set-password", "carol", stdin="open sesame 2\n")
    assert (changed.code, changed.output) == (0, "The password of carol was set.\n")
    # A server remembers a caller for a second at most.
    wait_until(lambda: _runs(running, token) == 401, "the token is refused", seconds=1.5)
    assert _log_in(running, "carol", "open sesame 1").status_code == 404
    assert _log_in(running, "carol", "open sesame 2").status_code == 200
    assert _log_in(running, "admin", ADMIN_PASSWORD).status_code == 200
    assert "carol\tUser\tadmin,carol" in command("users", "list").output


def test_the_address_before_a_server_ever_ran(command: Command):
    credentials = _credentials(command("clients", "create", "early"))
    assert credentials["token_url"].startswith("http://localhost:8000/auth/realms/eggplant/")


@pytest.mark.parametrize("way", ["option", "setting"])
def test_the_address_can_be_said(command: Command, way: str):
    address = "https://dai.example.com/base"
    if way == "option":
        said = command("clients", "create", "ci", "--public-url", f"{address}/")
    else:
        said = command("clients", "create", "ci", public_url=address)
    token_path = "/auth/realms/eggplant/protocol/openid-connect/token"
    assert _credentials(said)["token_url"] == address + token_path


@pytest.mark.parametrize(
    ("arguments", "stdin", "complaint"),
    [
        (("users", "create", "dave"), "short\n", "A password has 8 to 1024 characters."),
        (("users", "create", "dave"), "", "A password has 8 to 1024 characters."),
        (
            ("users", "create", "admin"),
            f"{PASSWORD}\n",
            'There is a user or a group "admin" already.',
        ),
        (("users", "create", "dave", "--group", "void"), f"{PASSWORD}\n", "There is no group void."),
        (
            ("users", "create", "dave", "--role", "King"),
            f"{PASSWORD}\n",
            "The role is one of None, User, Admin, not King.",
        ),
        (("users", "create", " "), f"{PASSWORD}\n", "A username is one line of 1 to 255 characters."),
        (("users", "set-password", "nobody"), f"{PASSWORD}\n", "There is no user nobody."),
        (("users", "set-password", "admin"), "short\n", "A password has 8 to 1024 characters."),
        (
            ("clients", "create", "ci", "--role", "king"),
            "",
            "The role is one of admin, agent, login, not king.",
        ),
        (
            ("clients", "create", "a:b"),
            "",
            "name: must be 1 to 100 letters, digits, spaces, dots, dashes and underscores, a letter or digit first",
        ),
        (("clients", "revoke", "nothing"), "", "There is no API client nothing."),
    ],
)
def test_what_cannot_be_done_is_one_line(
    command: Command, arguments: tuple[str, ...], stdin: str, complaint: str
):
    said = command(*arguments, stdin=stdin)
    assert (said.code, said.output, said.errors) == (1, "", f"opendai: {complaint}\n")


def test_a_password_is_never_repeated(command: Command):
    said = command("users", "create", "erin", stdin="hunter2\n")
    assert "hunter2" not in said.errors + said.output


def test_the_folder_of_the_option_wins(command: Command, tmp_path: Path, data_dir: Path):
    other = tmp_path / "other"
    _credentials(command("clients", "create", "there", "--data-dir", str(other)))
    assert (other / "opendai.db").exists()
    assert not data_dir.exists()
