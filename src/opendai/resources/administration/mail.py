"""Sending mail: one message to one recipient, by a mail server whose certificate is checked."""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage

from opendai.errors import Unavailable
from opendai.outbound.addresses import ANYTHING, Allowed, connect
from opendai.settings import Settings

TIMEOUT_SECONDS = 10.0
# TLS begins with the connection on this port. On any other the client asks for it.
TLS_PORT = 465


@dataclass(frozen=True, slots=True)
class MailServer:
    """How mail is sent. An empty username means that no login takes place."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    recipient: str


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str


def allowed_servers(settings: Settings) -> Allowed:
    """The addresses that a mail server may have."""
    return ANYTHING if settings.smtp_allow_private else Allowed()


def send_mail(server: MailServer, mail: Mail, *, allowed: Allowed) -> None:
    """Send a mail to the server's recipient, over TLS where it is offered and always before logging in.

    Raises Unavailable with a sentence for people, and Forbidden for a server on a private address.
    """
    message = EmailMessage()
    message["From"] = server.username if "@" in server.username else server.recipient
    message["To"] = server.recipient
    message["Subject"] = mail.subject
    message.set_content(mail.text)
    with _named_failures(server), _connected(server, allowed=allowed) as client:
        client.ehlo_or_helo_if_needed()
        if server.port != TLS_PORT and client.has_extn("starttls"):
            client.starttls(context=ssl.create_default_context())
        elif server.port != TLS_PORT and server.username:
            raise Unavailable(f"{server.host} offers no TLS, and a password is not sent without it.")
        if server.username:
            client.login(server.username, server.password)
        client.send_message(message)


class _Client(smtplib.SMTP):
    """Connects to an address that was checked, and still expects the certificate of the host that was named."""

    def __init__(self, server: MailServer, *, allowed: Allowed) -> None:
        self._allowed = allowed
        super().__init__(server.host, server.port, timeout=TIMEOUT_SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connect(host, port, allowed=self._allowed, seconds=timeout)


class _TlsClient(_Client):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise


def _connected(server: MailServer, *, allowed: Allowed) -> smtplib.SMTP:
    kind = _TlsClient if server.port == TLS_PORT else _Client
    return kind(server, allowed=allowed)


@contextlib.contextmanager
def _named_failures(server: MailServer) -> Iterator[None]:
    """Turn each error on the way into Unavailable with a sentence. The server's own words are not repeated."""
    place = f"{server.host}:{server.port}"
    try:
        yield
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "the handshake failed"
        raise Unavailable(f"The TLS connection to {place} was not made: {reason}.") from error
    except smtplib.SMTPAuthenticationError as error:
        raise Unavailable(f"{place} refused the username or the password.") from error
    except smtplib.SMTPRecipientsRefused as error:
        raise Unavailable(f"{place} refused the recipient {server.recipient}.") from error
    except smtplib.SMTPResponseException as error:
        raise Unavailable(f"{place} refused the mail with {error.smtp_code}.") from error
    except UnicodeError as error:
        raise Unavailable(f"{place} takes usernames and passwords in ASCII only.") from error
    except smtplib.SMTPServerDisconnected as error:
        is_late = isinstance(error.__context__, TimeoutError)
        what = "did not answer in time" if is_late else "broke off the conversation"
        raise Unavailable(f"{place} {what}.") from error
    except smtplib.SMTPException as error:
        raise Unavailable(f"{place} does not offer what is needed to send the mail.") from error
    except OSError as error:
        raise Unavailable(
            f"The connection to {place} failed: {error.strerror or 'no reason given'}."
        ) from error
