"""`opendai smtp`."""

from pathlib import Path

import pytest

from opendai.auth.audit import Actor, Audit
from opendai.credentials.secrets import load_secret_key
from opendai.database import Database
from opendai.resources.administration.smtp import MailServerIn, MailServerRepository
from opendai.settings import Settings
from tests.cli.conftest import Command
from tests.mailserver import check_password, server_context, serving


def _configure(data_dir: Path, port: int) -> None:
    settings = Settings(data_dir=data_dir)
    given = MailServerIn(
        serverhost="127.0.0.1", port=port, username="qa", password="right", recipient="qa@example.com"
    )
    database = Database(settings.database, threads=2)
    with database.writing() as session:
        audit = Audit(session, Actor.of_command())
        MailServerRepository(session, load_secret_key(settings.key_file)).store(given, audit)
    database.close()


@pytest.mark.slow
def test_a_mail_goes_out_by_the_stored_configuration(
    process: Command, data_dir: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process of its own: the mail server of the test logs to the standard error of this one.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    process("migrate")
    options = {"authenticator": check_password, "auth_required": True, "require_starttls": True}
    with serving(tls_context=server_context(certificate), **options) as (port, inbox):
        _configure(data_dir, port)
        said = process("smtp", "test", smtp_allow_private="1")
        assert (said.code, said.errors) == (0, "")
        assert said.output == f"A mail was sent to qa@example.com by 127.0.0.1:{port}.\n"
        assert [letter["Subject"] for letter in inbox.letters] == ["opendai: a test"]
        refused = process("smtp", "test")
        assert (refused.code, refused.output) == (1, "")
        assert refused.errors == (
            "opendai: 127.0.0.1 is on a private address, which the settings do not allow.\n"
        )
        assert len(inbox.letters) == 1


def test_it_says_that_nothing_is_configured(command: Command) -> None:
    said = command("smtp", "test")
    assert (said.code, said.output) == (1, "")
    assert said.errors == "opendai: No mail server is configured.\n"
