"""`opendai clients`: every kind of API client, and how its credentials end."""

import csv
import io
import json
import os
import pwd
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command, Said

CALLBACK = "https://app.example.com/callback"


@pytest.fixture
def audit(data_dir: Path) -> Callable[[], list[tuple[str, str, dict[str, Any]]]]:
    """The audit events since the installation made its administrator."""

    def read() -> list[tuple[str, str, dict[str, Any]]]:
        query = "SELECT actor_kind, actor, action, target, details FROM audit_events ORDER BY id"
        with closing(sqlite3.connect(data_dir / "opendai.db")) as database:
            rows = database.execute(query).fetchall()
        assert {row[:2] for row in rows} == {("command", pwd.getpwuid(os.getuid()).pw_name)}
        assert rows[0][2] == "user.create"
        return [(action, target, json.loads(details)) for _, _, action, target, details in rows[1:]]

    return read


def stored(data_dir: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(data_dir / "opendai.db")) as database:
        database.row_factory = sqlite3.Row
        (row,) = database.execute("SELECT * FROM api_clients").fetchall()
    return dict(row)


def credentials(said: Said) -> dict[str, str]:
    assert (said.code, said.errors) == (0, "")
    lines = said.output.split("\n")
    assert (len(lines), lines[0], lines[2]) == (3, "client_id,client_secret,token_url", "")
    return next(csv.DictReader(io.StringIO(said.output)))


def test_all_that_can_be_chosen(command: Command, data_dir: Path, audit: Any) -> None:
    said = command(
        *("clients", "create", "DAI pages", "--role", "login", "--id", "client:dai:pages"),
        *("--grants", "authorization_code, password", "--description", "The pages."),
        *("--redirect-uri", CALLBACK, "--redirect-uri", "http://localhost/"),
    )
    assert credentials(said)["client_id"] == "client:dai:pages"
    row = stored(data_dir)
    assert (row["name"], row["role"], row["description"]) == ("DAI pages", "login", "The pages.")
    assert json.loads(row["grants"]) == ["authorization_code", "password"]
    assert json.loads(row["redirect_uris"]) == [CALLBACK, "http://localhost/"]
    ((action, target, details),) = audit()
    assert (action, target, details["client_id"]) == ("api_client.create", "api_client:1", "client:dai:pages")


def test_a_public_client(command: Command, data_dir: Path) -> None:
    said = command("clients", "create", "pages", "--role", "login", "--public", "--redirect-uri", CALLBACK)
    assert credentials(said)["client_secret"] == ""
    assert stored(data_dir)["secret_sha256"] is None


def test_the_life_of_a_client(command: Command, data_dir: Path, audit: Any) -> None:
    first = credentials(command("clients", "create", "nightly"))
    second = credentials(
        command("clients", "regenerate", "nightly", "--public-url", "https://dai.example.com")
    )
    assert second["client_id"] == first["client_id"]
    assert second["client_secret"] != first["client_secret"]
    assert second["token_url"].startswith("https://dai.example.com/auth/realms/eggplant/")
    assert stored(data_dir)["generation"] == 1
    assert command("clients", "revoke", "nightly").output == "The API client nightly was revoked.\n"
    assert command("clients", "list").output.endswith("\tnightly\tadmin\trevoked\n")
    third = credentials(command("clients", "regenerate", "nightly"))
    assert third["client_secret"] not in {first["client_secret"], second["client_secret"]}
    assert stored(data_dir)["generation"] == 3
    assert command("clients", "delete", "nightly").output == "The API client nightly was deleted.\n"
    assert command("clients", "list").output == ""
    assert [action for action, _, _ in audit()] == [
        "api_client.create",
        "api_client.regenerate",
        "api_client.revoke",
        "api_client.regenerate",
        "api_client.delete",
    ]
    written = str(audit())
    assert not [secret for secret in (first, second, third) if secret["client_secret"] in written]


def test_an_ini_file_that_works_already_is_not_written_down_again(
    command: Command, tmp_path: Path, data_dir: Path, audit: Any
) -> None:
    file = str(tmp_path / "agent.ini")
    for _ in range(2):
        assert command("clients", "create", "lab", "--role", "agent", "--ini", file).code == 0
    assert [action for action, _, _ in audit()] == ["api_client.create"]


def test_users_are_written_down_too(command: Command, data_dir: Path, audit: Any) -> None:
    password = "canary: nobody may read this\n"
    assert command("users", "create", "dora", "--group", "admin", stdin=password).code == 0
    assert command("users", "set-password", "dora", stdin=password).code == 0
    assert audit() == [
        ("user.create", "user:2", {"username": "dora", "role": "User", "groups": ["admin"]}),
        ("user.update", "user:2", {"password_set": True}),
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("create", "x", "--id", "a b"),
            "client_id: must be 1 to 255 printable ASCII characters without spaces",
        ),
        (
            ("create", "x", "--grants", "implicit"),
            "grants: Input should be 'client_credentials', 'password', 'authorization_code' or 'refresh_token'",
        ),
        (
            ("create", "x", "--redirect-uri", "http://app.example.com/"),
            "redirect_uris: must begin with https:// unless it leads to this machine",
        ),
        (("create", "x", "--public"), "is_public: only a client of the role login can do without a secret"),
        (
            ("create", "x", "--ini", "x.ini", "--id", "x"),
            "With --ini only the name, --role and --public-url can be given.",
        ),
        (
            ("create", "x", "--ini", "x.ini", "--role", "login"),
            "An agent cannot log in as a client of the role login.",
        ),
        (("regenerate", "nothing"), "There is no API client nothing."),
        (("delete", "nothing"), "There is no API client nothing."),
    ],
)
def test_what_cannot_be_done_is_one_line(
    command: Command, arguments: tuple[str, ...], complaint: str
) -> None:
    said = command("clients", *arguments)
    assert (said.code, said.output, said.errors) == (1, "", f"opendai: {complaint}\n")


def test_a_taken_id_is_one_line(command: Command) -> None:
    credentials(command("clients", "create", "one", "--id", "client:dai"))
    said = command("clients", "create", "two", "--id", "client:dai")
    assert said.errors == 'opendai: There is an API client with the id "client:dai" already.\n'
    assert (said.code, said.output) == (1, "")
