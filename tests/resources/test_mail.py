"""Sending mail to a real SMTP server, and `opendai smtp test`."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import Message
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from opendai.auth.secrets import load_secret_key
from opendai.database import Database
from opendai.errors import Forbidden, Unavailable
from opendai.resources import mail
from opendai.resources.installation import install
from opendai.resources.mail import Mail, MailServer, send_mail
from opendai.resources.outbound import is_public
from opendai.resources.smtp import MailServerIn, MailServerRepository
from opendai.settings import Settings

LETTER = Mail(subject="A subject", text="A text.")


class Inbox(MessageHandler):
    def __init__(self) -> None:
        super().__init__()
        self.letters: list[Message] = []

    def handle_message(self, message: Message) -> None:
        self.letters.append(message)

    async def handle_RCPT(self, *given: Any) -> str:  # noqa: N802 - the library looks for this name
        _server, _session, envelope, address, _options = given
        if address.startswith("unknown@"):
            return "550 There is nobody of this name"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key, for 127.0.0.1 and for no other."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail of the tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "mail.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return path


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def serving(**options: Any) -> Iterator[tuple[int, Inbox]]:
    """A mail server on loopback; yields its port and what it takes in."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=_free_port(), **options)
    controller.start()
    try:
        yield controller.port, inbox
    finally:
        controller.stop()


def _check_password(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    is_right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"qa", b"right")
    return AuthResult(success=is_right, handled=False)


def to(port: int, **fields: Any) -> MailServer:
    return MailServer(
        **{
            "host": "127.0.0.1",
            "port": port,
            "username": "",
            "password": "",
            "recipient": "qa@example.com",
            **fields,
        }
    )


def test_a_server_without_tls_takes_mail_where_nobody_logs_in() -> None:
    with serving() as (port, inbox):
        send_mail(to(port), LETTER, allow_private=True)
    letter = inbox.letters[0]
    assert (letter["To"], letter["From"]) == ("qa@example.com", "qa@example.com")
    assert (letter["Subject"], letter.get_payload()) == ("A subject", "A text.\r\n")


def test_logging_in_waits_for_tls(certificate: Path, trusted: None) -> None:
    options = {"authenticator": _check_password, "auth_required": True, "require_starttls": True}
    with serving(tls_context=_context(certificate), **options) as (port, inbox):
        send_mail(to(port, username="qa", password="right"), LETTER, allow_private=True)
        assert len(inbox.letters) == 1
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port} refused the username or the password."):
            send_mail(to(port, username="qa", password="wrong"), LETTER, allow_private=True)


def test_tls_from_the_start_where_the_port_says_so(
    certificate: Path, trusted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(ssl_context=_context(certificate)) as (port, inbox):
        monkeypatch.setattr(mail, "TLS_PORT", port)
        send_mail(to(port), LETTER, allow_private=True)
    assert len(inbox.letters) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    with (
        serving(tls_context=_context(certificate)) as (port, inbox),
        pytest.raises(
            Unavailable, match=r"^The TLS connection to .* was not made: self.signed certificate\.$"
        ),
    ):
        send_mail(to(port), LETTER, allow_private=True)
    assert inbox.letters == []


def test_a_certificate_for_another_host_is_refused(certificate: Path, trusted: None) -> None:
    with (
        serving(tls_context=_context(certificate)) as (port, inbox),
        pytest.raises(Unavailable, match="The TLS connection to localhost"),
    ):
        send_mail(to(port, host="localhost"), LETTER, allow_private=True)
    assert inbox.letters == []


def test_a_password_is_not_sent_without_tls() -> None:
    with (
        serving(authenticator=_check_password, auth_require_tls=False) as (port, inbox),
        pytest.raises(Unavailable, match="offers no TLS, and a password is not sent without it"),
    ):
        send_mail(to(port, username="qa", password="right"), LETTER, allow_private=True)
    assert inbox.letters == []


def test_a_recipient_whom_the_server_does_not_know_is_named() -> None:
    with (
        serving() as (port, _inbox),
        pytest.raises(Unavailable, match="refused the recipient unknown@example"),
    ):
        send_mail(to(port, recipient="unknown@example.com"), LETTER, allow_private=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1"])
def test_a_private_address_is_refused_before_anything_is_sent(host: str) -> None:
    with serving() as (port, inbox), pytest.raises(Forbidden, match=f"{host} is on a private address"):
        send_mail(to(port, host=host), LETTER, allow_private=False)
    assert inbox.letters == []


def test_a_server_that_is_not_there_is_named() -> None:
    port = _free_port()
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port} cannot be reached: Connection refused"):
        send_mail(to(port), LETTER, allow_private=True)
    with pytest.raises(Unavailable, match=r"There is no host mail\.invalid\."):
        send_mail(to(port, host="mail.invalid"), LETTER, allow_private=True)


@contextmanager
def _saying(words: bytes) -> Iterator[int]:
    """A server that says these words to whoever connects, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(words)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=10)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (b"", "broke off the conversation"),
        (b"554 go away\r\n", "refused the mail with 554"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "refused the mail with -1"),
    ],
)
def test_a_server_that_does_not_play_along_is_told_in_a_sentence(words: bytes, sentence: str) -> None:
    with _saying(words) as port, pytest.raises(Unavailable, match=sentence):
        send_mail(to(port), LETTER, allow_private=True)


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mail.TIMEOUT_SECONDS == 10.0
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Unavailable, match="did not answer in time"):
            send_mail(to(port), LETTER, allow_private=True)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("192.0.0.8", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("5f00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:1::1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def _installed(tmp_path: Path, **fields: Any) -> dict[str, str]:
    """An installation with this mail server, as the environment that leads to it."""
    settings = Settings(data_dir=tmp_path, admin_password="not asked for here")
    install(settings)
    if fields:
        given = MailServerIn.model_validate({"recipient": "qa@example.com", **fields})
        database = Database(settings.database, threads=2)
        with database.writing() as session:
            MailServerRepository(session, load_secret_key(settings.key_file)).put(given)
        database.close()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OPENDAI_")}
    return {**clean, "OPENDAI_DATA_DIR": str(tmp_path)}


def _smtp_test(environment: dict[str, str], **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "opendai.cli", "smtp", "test"]
    return subprocess.run(
        command, env={**environment, **more}, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_command_sends_a_mail_by_the_stored_configuration(tmp_path: Path, certificate: Path) -> None:
    options = {"authenticator": _check_password, "auth_required": True, "require_starttls": True}
    with serving(tls_context=_context(certificate), **options) as (port, inbox):
        environment = _installed(tmp_path, serverhost="127.0.0.1", port=port, username="qa", password="right")
        environment |= {"SSL_CERT_FILE": str(certificate)}
        done = _smtp_test(environment, OPENDAI_SMTP_ALLOW_PRIVATE="1")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"A mail was sent to qa@example.com by 127.0.0.1:{port}.\n"
        assert inbox.letters[0]["Subject"] == "opendai: a test"
        refused = _smtp_test(environment)
        assert refused.returncode == 1
        assert refused.stderr == (
            "opendai: 127.0.0.1 is on a private address, which the settings do not allow.\n"
        )


def test_the_command_says_that_nothing_is_configured(tmp_path: Path) -> None:
    done = _smtp_test(_installed(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "opendai: No mail server is configured.\n"
