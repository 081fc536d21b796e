"""Executions, their runs, and the history of a run."""

from datetime import datetime

from sqlalchemy import Double, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from opendai.database import Table
from opendai.tables.columns import BigId, Body, ClockTime, Created, Id, Moment, Name, Uuid, When, now


class Execution(Table):
    """A task instance with one or more runs, or the record of one that ran outside of this server."""

    __tablename__ = "executions"
    __table_args__ = (
        Index("ix_executions_created_at_id", "created_at", "id"),
        Index("ix_executions_group_id_created_at_id", "group_id", "created_at", "id"),
        Index("ix_executions_owner_id_created_at_id", "owner_id", "created_at", "id"),
        Index("ix_executions_test_config_id_created_at_id", "test_config_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    test_config_id: Mapped[Uuid | None]
    started_by: Mapped[Name]
    model_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("models.id", ondelete="CASCADE"), index=True
    )
    group_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("groups.id"))
    """The group of its runs; null, like the model, if it ran outside of this server."""
    owner_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    """The user who recorded what ran outside of this server, and alone sees it; null if there are runs."""
    own_status: Mapped[str | None] = mapped_column(String(10))
    """Set by a client; while it is null, the status follows from the runs."""
    created_at: Mapped[Created]
    updated_at: Mapped[datetime] = mapped_column(Moment, default=now)


class Run(Table):
    """One walk of a model: queued, then claimed, then finished.

    `status` is QUEUED, RUNNING, PASSED, FAILED, ERROR or CANCELLED. `attempt` counts the claims and is the
    fence: every report must name it.
    """

    __tablename__ = "runs"
    # One for each filter of the published list, so that any page of it is read in the order of the index.
    __table_args__ = (
        Index("ix_runs_status_id", "status", "id"),
        Index("ix_runs_execution_id_id", "execution_id", "id"),
        Index("ix_runs_test_case_id_id_ended_at", "test_case_id", "id", "ended_at"),
        Index("ix_runs_model_id_status_id", "model_id", "status", "id"),
        Index("ix_runs_model_id_occurred_at_id", "model_id", "occurred_at", "id"),
        Index("ix_runs_group_id_id", "group_id", "id"),
        Index("ix_runs_group_id_model_id_id", "group_id", "model_id", "id"),
        Index("ix_runs_group_id_model_name_id", "group_id", "model_name", "id"),
        Index("ix_runs_group_id_test_case_name_id", "group_id", "test_case_name", "id"),
        Index("ix_runs_group_id_config_step_id", "group_id", "config_step", "id"),
        Index("ix_runs_group_id_status_id", "group_id", "status", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    execution_id: Mapped[str] = mapped_column(String(36), ForeignKey("executions.id", ondelete="CASCADE"))
    model_id: Mapped[int] = mapped_column(BigId, ForeignKey("models.id", ondelete="CASCADE"))
    version_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("model_versions.id", ondelete="CASCADE"), index=True
    )
    group_id: Mapped[int] = mapped_column(BigId, ForeignKey("groups.id"))
    model_name: Mapped[Name]
    status: Mapped[str] = mapped_column(String(10))
    reason: Mapped[Body] = mapped_column(default="")

    generator: Mapped[str] = mapped_column(String(20))
    seed: Mapped[int] = mapped_column(BigId)
    step_limit: Mapped[int]
    target_coverage: Mapped[float | None] = mapped_column(Double)
    test_case_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("test_cases.id", ondelete="SET NULL"))
    test_case_name: Mapped[Name | None]
    test_case_text: Mapped[Body | None]
    config_step: Mapped[int | None]
    step_pause_seconds: Mapped[float] = mapped_column(Double, default=0.0)
    asset: Mapped[Body | None]
    """JSON, as given."""
    sut: Mapped[Body | None]
    """JSON, as given."""
    hits: Mapped[Body | None]
    """JSON: the actions that earlier runs had taken at the first claim, so that the run can be repeated exactly."""

    walker: Mapped[str] = mapped_column(String(10))
    """server: generate the path without touching anything; agent: wait for an agent."""
    wanted_agent_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("agents.id", ondelete="SET NULL"), index=True
    )
    agent_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("agents.id", ondelete="SET NULL"), index=True
    )
    attempt: Mapped[int] = mapped_column(default=0)
    claim_key: Mapped[Uuid | None]
    lease_ends: Mapped[ClockTime] = mapped_column(default=0.0)
    last_event: Mapped[int] = mapped_column(default=0)
    is_abort_requested: Mapped[bool] = mapped_column(default=False)

    steps: Mapped[int] = mapped_column(default=0)
    coverage: Mapped[float] = mapped_column(Double, default=0.0)
    failed_state: Mapped[Name | None]
    failed_action: Mapped[Name | None]
    created_at: Mapped[Created]
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    occurred_at: Mapped[datetime] = mapped_column(Moment, default=now)
    """The published start time: when the run began or, until then, when it was queued."""
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class RunCount(Table):
    """The number of runs of one kind, updated when a run is created, ends or is deleted.

    Pages of runs take their total from here: counting a million runs takes as long as reading them. `status` is the
    published status. Counts that have come down to 0 stay.
    """

    __tablename__ = "run_counts"
    # A sum reads the rows in the order of the key, so SQLite stores them in this order.
    __table_args__ = {"sqlite_with_rowid": False}

    group_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    model_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("models.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    model_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    test_case_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    """Empty for walks without one."""
    config_step: Mapped[int] = mapped_column(primary_key=True)
    """-1 for runs that are not a step of a test configuration."""
    status: Mapped[str] = mapped_column(String(10), primary_key=True)
    runs: Mapped[int] = mapped_column(BigId)


class Timing(Table):
    """One action that was performed; `position` counts from 1 within an attempt."""

    __tablename__ = "timings"

    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[Name]
    action: Mapped[Name]
    target: Mapped[Name]
    phase: Mapped[str] = mapped_column(String(10))
    is_passed: Mapped[bool]
    seconds: Mapped[float] = mapped_column(Double)
    message: Mapped[Body]
    started_at: Mapped[datetime | None] = mapped_column(Moment)


class RunLog(Table):
    """A line of a run's log."""

    __tablename__ = "run_logs"
    __table_args__ = (Index("ix_run_logs_run_id_id", "run_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("runs.id", ondelete="CASCADE"))
    event_time: Mapped[When]
    message: Mapped[Body]
    severity: Mapped[str] = mapped_column(String(20))
    step: Mapped[int | None]
    stage: Mapped[Name | None]
    message_type: Mapped[Name | None]
    image_name: Mapped[Name | None]
    image_id: Mapped[Name | None]


class Screenshot(Table):
    """A picture of the system under test; the picture itself is an object in the store."""

    __tablename__ = "screenshots"
    __table_args__ = (Index("ix_screenshots_run_id_id", "run_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[Id]
    artifact_id: Mapped[Uuid] = mapped_column(unique=True)
    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("runs.id", ondelete="CASCADE"))
    object_key: Mapped[Name]
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    size: Mapped[int]
    content_type: Mapped[str] = mapped_column(String(30))
    """The type that the content of the picture shows; the type that the client sent is `claimed_type`."""
    claimed_type: Mapped[Name]
    taken_at: Mapped[When]
    name: Mapped[Name]
    capture_type: Mapped[Name]
    state: Mapped[Name]
    action: Mapped[Name]
    script: Mapped[Body]
    suite: Mapped[Body]
    created_at: Mapped[Created]


class ErrorEntry(Table):
    """An error of an execution, for `GET /ai/errors`."""

    __tablename__ = "errors"
    __table_args__ = (
        Index("ix_errors_execution_id_id", "execution_id", "id"),
        Index("ix_errors_group_id_id", "group_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    execution_id: Mapped[str] = mapped_column(String(36), ForeignKey("executions.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    group_id: Mapped[int] = mapped_column(BigId, ForeignKey("groups.id"))
    sender: Mapped[Name]
    severity: Mapped[str] = mapped_column(String(20))
    message: Mapped[Body]
    error_time: Mapped[When]
    created_at: Mapped[Created]


class DoomedObject(Table):
    """An object of the store whose row is deleted. The worker deletes it, because that cannot be rolled back."""

    __tablename__ = "doomed_objects"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[Id]
    object_key: Mapped[Name]
    created_at: Mapped[Created]
