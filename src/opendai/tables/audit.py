"""The record of changes that matter for security. Rows are added and never changed."""

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from opendai.database import Table
from opendai.tables.columns import Created, Id, Name


class AuditEvent(Table):
    """A change that matters for security, written in the transaction that made it."""

    __tablename__ = "audit_events"
    # Each filter has an index in the order of the ids: a page is read and a total is counted in the index.
    __table_args__ = (
        Index("ix_audit_events_action_id", "action", "id"),
        Index("ix_audit_events_actor_id", "actor", "id"),
        Index("ix_audit_events_target_id", "target", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    created_at: Mapped[Created] = mapped_column(index=True)
    action: Mapped[Name]
    """The kind of the change, as "user.create"."""
    actor_kind: Mapped[str] = mapped_column(String(10))
    """user, client, command, or provider for an outside identity provider."""
    actor: Mapped[Name]
    address: Mapped[str | None] = mapped_column(String(45))
    target: Mapped[Name]
    """The changed thing, as "user:7"."""
    details: Mapped[dict[str, object]] = mapped_column(JSON)
    request_id: Mapped[str | None] = mapped_column(String(64))
