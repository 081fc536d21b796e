"""A command that cannot do its work prints one line to standard error and exits with code 1 or 2."""

import importlib.metadata
import socket
import sqlite3
import stat
from pathlib import Path

import pytest

import opendai
from tests.cli.conftest import Command, Said


def _complaint(said: Said, *, code: int) -> str:
    """The one line that the command ended with."""
    assert said.code == code, said.errors
    assert said.output == ""
    lines = said.errors.splitlines()
    assert len(lines) == 1, said.errors
    assert lines[0].startswith("opendai: ")
    return lines[0].removeprefix("opendai: ")


def test_version(command: Command):
    said = command("--version")
    assert (said.code, said.output, said.errors) == (0, f"opendai {opendai.__version__}\n", "")
    assert importlib.metadata.version("opendai") == opendai.__version__


def test_a_taken_port(command: Command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        complaint = _complaint(command("serve", "--port", str(port)), code=1)
    assert complaint == f"Cannot listen on 127.0.0.1:{port}: Address already in use."


def test_an_address_that_is_not_ours(command: Command):
    complaint = _complaint(command("serve", "--host", "203.0.113.1", "--port", "0"), code=1)
    assert complaint == "Cannot listen on 203.0.113.1:0: Cannot assign requested address."


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("migrate",), ("clients", "list")])
def test_a_data_folder_that_cannot_be_made(command: Command, tmp_path: Path, arguments: tuple[str, ...]):
    # A file in its way stops also the superuser, whom permissions would not stop.
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "data"
    complaint = _complaint(command(*arguments, "--data-dir", str(folder)), code=1)
    assert complaint == f"The secret key file {folder / 'secret.key'} cannot be read."


def test_a_data_folder_where_nothing_can_be_written(command: Command):
    complaint = _complaint(command("migrate", "--data-dir", "/proc/opendai"), code=1)
    assert (
        complaint == "The secret key file /proc/opendai/secret.key cannot be made: No such file or directory."
    )


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("threads", "many", "Input should be a valid integer, unable to parse string as an integer"),
        ("lease_seconds", "0", "Input should be greater than or equal to 1"),
        ("log_level", "LOUD", "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("public_url", "https://host/?q=1", "must be a scheme, a host and perhaps a port and a path"),
        ("database_url", "mysql://host/opendai", "must begin with sqlite:/// or postgresql://"),
        ("database_url", "opendai.db", "must begin with sqlite:/// or postgresql://"),
    ],
)
def test_a_bad_setting_is_named(command: Command, name: str, value: str, problem: str):
    complaint = _complaint(command("serve", "--port", "0", **{name: value}), code=2)
    assert complaint == f"OPENDAI_{name.upper()}: {problem}"


def test_a_bad_setting_keeps_its_value_to_itself(command: Command):
    said = command("migrate", database_url="mysql://user:hunter2@host/opendai")
    assert said.code == 2
    assert "hunter2" not in said.errors


def test_a_database_that_does_not_answer(command: Command):
    url = "postgresql://user:hunter2@127.0.0.1:1/opendai?connect_timeout=2"
    complaint = _complaint(command("migrate", database_url=url), code=1)
    assert complaint.startswith("The database cannot be used: ")
    assert "hunter2" not in complaint


def test_a_store_that_is_not_known(command: Command):
    complaint = _complaint(command("serve", "--port", "0", storage_url="ftp://host/folder"), code=1)
    assert "ftp" in complaint


def test_a_database_of_a_newer_release(command: Command, data_dir: Path):
    assert command("migrate").code == 0
    with sqlite3.connect(data_dir / "opendai.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for arguments in (("migrate",), ("serve", "--port", "0"), ("clients", "list")):
        complaint = _complaint(command(*arguments), code=1)
        assert complaint == "The database is at revision 9999, which this release lacks."


def test_the_key_of_another_installation(command: Command, data_dir: Path):
    assert command("migrate").code == 0
    (data_dir / "secret.key").write_text("00" * 32)
    complaint = _complaint(command("serve", "--port", "0"), code=1)
    assert "the secret key is not the one" in complaint


@pytest.mark.parametrize("content", ["", "00" * 31, "not a key", "zz" * 32])
def test_a_file_that_is_no_key(command: Command, data_dir: Path, content: str):
    data_dir.mkdir()
    key = data_dir / "secret.key"
    key.write_text(content)
    complaint = _complaint(command("migrate"), code=1)
    assert complaint == f"The secret key file {key} must hold 32 bytes as 64 hexadecimal digits."
    assert key.read_text() == content


def test_the_secret_key_is_for_its_owner_and_stays(command: Command, data_dir: Path):
    assert command("migrate").code == 0
    key = data_dir / "secret.key"
    made = key.read_text()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(bytes.fromhex(made)) == 32
    assert command("migrate").code == 0
    assert command("users", "list").code == 0
    assert key.read_text() == made
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_migrate_says_what_it_did(command: Command):
    first, second = command("migrate"), command("migrate")
    assert (first.code, first.errors, second.code, second.errors) == (0, "", 0, "")
    revision = first.output.split()[-1].rstrip(".")
    assert first.output == f"The database went from revision none to {revision}.\n"
    assert second.output == f"The database is at revision {revision} already.\n"


def test_a_random_password_is_shown_once_on_standard_error(command: Command):
    first = command("migrate", admin_password="")
    line = first.errors.strip()
    password = line.removeprefix("The administrator is admin with the password ").removesuffix(
        " (shown only now)."
    )
    assert len(password) == 24
    assert password not in first.output
    assert command("migrate", admin_password="").errors == ""
