"""What was done to the installation's security, by whom. Rows are added and never changed."""

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from opendai.database import Table
from opendai.tables.columns import Created, Id, Name


class AuditEvent(Table):
    """A change that matters for security, written in the transaction that made it and never changed."""

    __tablename__ = "audit_events"
    # Each filter has the rows in the order of the ids, so that a page is read and a total counted in the index.
    __table_args__ = (
        Index("ix_audit_events_action_id", "action", "id"),
        Index("ix_audit_events_actor_id", "actor", "id"),
        Index("ix_audit_events_target_id", "target", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    created_at: Mapped[Created] = mapped_column(index=True)
    action: Mapped[Name]
    """What was done, as "user.create"."""
    actor_kind: Mapped[str] = mapped_column(String(10))
    """user, client, command, or provider for an outside identity provider."""
    actor: Mapped[Name]
    address: Mapped[str | None] = mapped_column(String(45))
    target: Mapped[Name]
    """Whom or what it was done to, as "user:7"."""
    details: Mapped[dict[str, object]] = mapped_column(JSON)
    request_id: Mapped[str | None] = mapped_column(String(64))
