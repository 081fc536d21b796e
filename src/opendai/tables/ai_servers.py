"""AI servers: the services that draft test cases, how each is asked, and their drafts."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from opendai.database import Table
from opendai.tables.columns import BigId, Body, ClockTime, Created, Id, Moment, Name, When


class AiServer(Table):
    """A service that is asked by one POST. A column that is None has its default."""

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


class Generation(Table):
    """One requirement that test cases are drafted for.

    `status` is QUEUED, RUNNING, FINISHED, FAILED or CANCELLED. `attempt` counts the claims and is the fence:
    only a thread that names it may write a result.
    """

    __tablename__ = "generations"
    __table_args__ = (
        Index("ix_generations_server_id_id", "server_id", "id"),
        Index("ix_generations_status_claimable_from", "status", "claimable_from"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    server_id: Mapped[int] = mapped_column(BigId, ForeignKey("ai_servers.id", ondelete="CASCADE"))
    model_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("models.id", ondelete="CASCADE"), index=True
    )
    """The group of this model sees the generation; without a model only its owner does."""
    owner_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    """None if an API client has started the generation."""
    started_by: Mapped[Name]
    requirement: Mapped[Body]
    status: Mapped[str] = mapped_column(String(10))
    attempt: Mapped[int] = mapped_column(default=0)
    claimable_from: Mapped[ClockTime] = mapped_column(default=0.0)
    """The next time that it may be claimed: at once, after a requested pause, or when the lease has ended."""
    stage: Mapped[str | None] = mapped_column(String(20))
    """The stage where the last attempt failed, if it failed."""
    reason: Mapped[Body] = mapped_column(default="")
    proposals: Mapped[Body | None]
    """JSON: the drafts, each with the test case that was made of it."""
    created_at: Mapped[Created]
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
