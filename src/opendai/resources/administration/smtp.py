"""The mail server: one for the installation. Its password is stored encrypted and never shown."""

import ipaddress
import re
from typing import Annotated, Self

from fastapi import Depends
from pydantic import AfterValidator, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.audit import Audit, AuditDep
from opendai.auth.callers import Admin
from opendai.credentials.secrets import SecretKey
from opendai.database import upsert
from opendai.errors import Fault, Invalid
from opendai.outbound.addresses import literal_addresses
from opendai.parts import SecretKeyDep, SessionDep, SettingsDep
from opendai.resources.administration.mail import MailServer, allowed_servers
from opendai.wire.inputs import Input, Line, Output, Password, Whole
from opendai.wire.routing import Router

MASK = "********"
_ROW = 1
_PLACE = "smtp:1:password"
_DEFAULT_PORT = 25
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def _is_host(value: str) -> str:
    if _HOST.fullmatch(value) or _is_ipv6(value):
        return value.lower()
    raise ValueError("must be the name or the address of a host")


def _is_ipv6(value: str) -> bool:
    try:
        return ipaddress.ip_address(value).version == 6
    except ValueError:
        return False


def _is_mailbox(value: str) -> str:
    # One address and nothing around it: a list or a display name would become other recipients.
    local, _, host = value.rpartition("@")
    if len(local) > 64 or not _LOCAL_PART.fullmatch(local) or not _HOST.fullmatch(host):
        raise ValueError("must be one mail address, such as qa@example.com")
    return value


class MailServerIn(Input):
    """The mask, or a body without a password, keeps the stored password."""

    host: Annotated[Line, AfterValidator(_is_host)] = Field(alias="serverhost")
    username: Line = ""
    password: Password = MASK
    port: Annotated[Whole, Field(ge=1, le=65_535)]
    recipient: Annotated[Line, AfterValidator(_is_mailbox)]


class MailServerOut(Output):
    """`password` is a mask where a password is stored, and empty otherwise. The texts are empty until they are set."""

    id: int = _ROW
    host: str = Field("", serialization_alias="serverhost")
    username: str = ""
    password: str = ""
    port: int = _DEFAULT_PORT
    recipient: str = ""

    @classmethod
    def of(cls, row: tables.MailServer | None) -> Self:
        if row is None:
            return cls()
        return cls(
            host=row.host,
            username=row.username,
            password=MASK if row.password else "",
            port=row.port,
            recipient=row.recipient,
        )


class MailServerRepository:
    def __init__(self, session: Session, secret_key: SecretKey) -> None:
        self._session = session
        self._secret_key = secret_key

    def find(self) -> tables.MailServer | None:
        return self._session.get(tables.MailServer, _ROW)

    def get_with_password(self) -> MailServer:
        """The mail server with its password decrypted; Invalid if none is stored."""
        row = self.find()
        if row is None:
            raise Invalid("No mail server is configured.")
        sealed = row.password
        password = self._secret_key.decrypt(sealed, place=_PLACE).decode() if sealed else ""
        return MailServer(row.host, row.port, row.username, password, row.recipient)

    def store(self, given: MailServerIn, audit: Audit) -> tables.MailServer:
        blank = {"id": _ROW, "host": "", "port": given.port, "username": "", "recipient": ""}
        self._session.execute(upsert(self._session, tables.MailServer).values(blank).on_conflict_do_nothing())
        row = self._session.scalars(
            select(tables.MailServer).where(tables.MailServer.id == _ROW).with_for_update()
        ).one()
        if given.password != MASK:
            secret = given.password.encode()
            row.password = self._secret_key.encrypt(secret, place=_PLACE) if secret else None
        elif row.host != given.host:
            # Otherwise an administrator could have the password sent to a server of their own.
            row.password = None
        row.host, row.port = given.host, given.port
        row.username, row.recipient = given.username, given.recipient
        self._session.flush()
        audit.record(
            "smtp.update",
            "smtp",
            serverhost=row.host,
            port=row.port,
            username=row.username,
            recipient=row.recipient,
            password="new" if given.password not in {MASK, ""} else "kept" if row.password else "none",
        )
        return row


async def _repository(secret_key: SecretKeyDep, session: SessionDep) -> MailServerRepository:
    return MailServerRepository(session, secret_key)


MailServers = Annotated[MailServerRepository, Depends(_repository)]
router = Router(tags=["SMTP"])


@router.put("/smtp")
def update_mail_server(
    caller: Admin, audit: AuditDep, settings: SettingsDep, mail_servers: MailServers, given: MailServerIn
) -> MailServerOut:
    """Set the mail server. A change of the host drops the stored password unless the body has a new one."""
    allowed = allowed_servers(settings)
    # The addresses of a name are checked in the same way when a mail is sent.
    if not all(allowed.has_address(address) for address in literal_addresses(given.host)):
        problem = "is a private address, which the settings do not allow"
        raise Invalid(f"serverhost: {problem}", faults=[Fault("serverhost", problem)])
    return MailServerOut.of(mail_servers.store(given, audit))


@router.get("/smtp")
def get_mail_server(caller: Admin, mail_servers: MailServers) -> MailServerOut:
    """The mail server, its password masked."""
    return MailServerOut.of(mail_servers.find())
