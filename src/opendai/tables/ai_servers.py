"""AI servers: the services that draft test cases, and how each is asked."""

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from opendai.database import Table
from opendai.tables.columns import Body, Created, Id, Name, When


class AiServer(Table):
    """A service that is asked by one POST. What is None was not said, and has a default of its own."""

    __tablename__ = "ai_servers"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(50), unique=True)
    url: Mapped[Name]
    description: Mapped[Body | None]
    payload_template: Mapped[Body | None]
    json_path: Mapped[str | None] = mapped_column(String(200))
    authentication_header: Mapped[str | None] = mapped_column(String(64))
    authentication_scheme: Mapped[str | None] = mapped_column(String(64))
    timeout_seconds: Mapped[int | None]
    token: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """Encrypted with the secret key of the installation."""
    created_by: Mapped[Name]
    created_at: Mapped[Created]
    last_modified_by: Mapped[Name]
    last_modified_at: Mapped[When]
