"""Settings of an administrator for the whole installation: licenses and the mail server."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from opendai.database import Table
from opendai.tables.columns import BigId, Body, Created, Id, Moment, Name


class License(Table):
    """The text of a license, and its limits. None: the text does not name this limit."""

    __tablename__ = "licenses"

    serial_number: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    text: Mapped[Body] = mapped_column(deferred=True)
    is_eula_accepted: Mapped[bool]
    is_readable: Mapped[bool]
    """Whether this release understands the text; checked again on demand."""
    users: Mapped[int | None]
    executions: Mapped[int | None]
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[Created]


class MailServer(Table):
    """The mail server of the installation: a single row."""

    __tablename__ = "mail_server"

    id: Mapped[Id]
    host: Mapped[Name]
    port: Mapped[int]
    username: Mapped[Name]
    password: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted with the secret key of the installation."""
    recipient: Mapped[Name]
