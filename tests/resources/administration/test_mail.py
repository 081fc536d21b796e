"""Sending mail to a real mail server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from opendai.errors import Forbidden, Unavailable
from opendai.outbound.addresses import ANYTHING, Allowed
from opendai.resources.administration import mail
from opendai.resources.administration.mail import Mail, MailServer, send_mail
from tests.mailserver import check_password, free_port, server_context, serving

LETTER = Mail(subject="A subject", text="A text.")


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
        send_mail(to(port), LETTER, allowed=ANYTHING)
    letter = inbox.letters[0]
    assert (letter["To"], letter["From"]) == ("qa@example.com", "qa@example.com")
    assert (letter["Subject"], letter.get_payload()) == ("A subject", "A text.\r\n")


def test_logging_in_waits_for_tls(certificate: Path, trusted: None) -> None:
    options = {"authenticator": check_password, "auth_required": True, "require_starttls": True}
    with serving(tls_context=server_context(certificate), **options) as (port, inbox):
        send_mail(to(port, username="qa", password="right"), LETTER, allowed=ANYTHING)
        assert len(inbox.letters) == 1
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port} refused the username or the password."):
            send_mail(to(port, username="qa", password="wrong"), LETTER, allowed=ANYTHING)


def test_tls_from_the_start_where_the_port_says_so(
    certificate: Path, trusted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(ssl_context=server_context(certificate)) as (port, inbox):
        monkeypatch.setattr(mail, "TLS_PORT", port)
        send_mail(to(port), LETTER, allowed=ANYTHING)
    assert len(inbox.letters) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    with (
        serving(tls_context=server_context(certificate)) as (port, inbox),
        pytest.raises(
            Unavailable, match=r"^The TLS connection to .* was not made: self.signed certificate\.$"
        ),
    ):
        send_mail(to(port), LETTER, allowed=ANYTHING)
    assert inbox.letters == []


def test_a_certificate_for_another_host_is_refused(certificate: Path, trusted: None) -> None:
    with (
        serving(tls_context=server_context(certificate)) as (port, inbox),
        pytest.raises(Unavailable, match="The TLS connection to localhost"),
    ):
        send_mail(to(port, host="localhost"), LETTER, allowed=ANYTHING)
    assert inbox.letters == []


def test_a_password_is_not_sent_without_tls() -> None:
    with (
        serving(authenticator=check_password, auth_require_tls=False) as (port, inbox),
        pytest.raises(Unavailable, match="offers no TLS, and a password is not sent without it"),
    ):
        send_mail(to(port, username="qa", password="right"), LETTER, allowed=ANYTHING)
    assert inbox.letters == []


def test_a_recipient_whom_the_server_does_not_know_is_named() -> None:
    with (
        serving() as (port, _inbox),
        pytest.raises(Unavailable, match="refused the recipient unknown@example"),
    ):
        send_mail(to(port, recipient="unknown@example.com"), LETTER, allowed=ANYTHING)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1"])
def test_a_private_address_is_refused_before_anything_is_sent(host: str) -> None:
    with serving() as (port, inbox), pytest.raises(Forbidden, match=f"{host} is on a private address"):
        send_mail(to(port, host=host), LETTER, allowed=Allowed())
    assert inbox.letters == []


def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port} cannot be reached: Connection refused"):
        send_mail(to(port), LETTER, allowed=ANYTHING)
    with pytest.raises(Unavailable, match=r"There is no host mail\.invalid\."):
        send_mail(to(port, host="mail.invalid"), LETTER, allowed=ANYTHING)


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
        send_mail(to(port), LETTER, allowed=ANYTHING)


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mail.TIMEOUT_SECONDS == 10.0
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Unavailable, match="did not answer in time"):
            send_mail(to(port), LETTER, allowed=ANYTHING)
