"""`opendai users unlock`: beside a running server, for somebody who failed to log in too often."""

import httpx
import pytest

from opendai.auth import attempts
from tests.cli.conftest import Command
from tests.faults.processes import ADMIN_PASSWORD, Server


def _log_in(server: Server) -> int:
    given = {"username": "admin", "password": ADMIN_PASSWORD}
    return httpx.post(f"{server.url}/ai/auth", json=given).status_code


@pytest.mark.slow
def test_a_locked_out_administrator_gets_in_again(
    command: Command, running: Server, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(attempts.ACCOUNT_ATTEMPTS + 1):
        attempts.begin_attempt(running.database, "admin", None)
    assert _log_in(running) == 404

    monkeypatch.setenv("OPENDAI_DATA_DIR", str(running.folder))
    said = command("users", "unlock", "admin")
    assert (said.code, said.output, said.errors) == (0, "The user admin may log in again.\n", "")
    assert _log_in(running) == 200


def test_a_user_who_was_not_locked_out_stays_so(command: Command):
    assert command("users", "unlock", "admin").code == 0


def test_nobody_is_unlocked_by_a_wrong_name(command: Command):
    said = command("users", "unlock", "Admin")
    assert (said.code, said.output, said.errors) == (1, "", "opendai: There is no user Admin.\n")
