"""Models of the software under test, their versions and their test cases."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from opendai.database import Table
from opendai.tables.columns import BigId, Body, ClockTime, Created, Id, Moment, Name, Uuid, now
from opendai.tables.identity import Group


class Agent(Table):
    """A program that walks models on a system under test, or one that a person has added by hand."""

    __tablename__ = "agents"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[Id]
    name: Mapped[Name] = mapped_column(unique=True)
    record_path: Mapped[Body]
    suite: Mapped[Body]
    agent_type: Mapped[str] = mapped_column(String(20))
    epp_host: Mapped[Name]
    epp_test_controller_port: Mapped[int]
    epp_analyzer_port: Mapped[int]
    epp_workspace_path: Mapped[Body]
    is_hosted: Mapped[bool]
    is_marked_connected: Mapped[bool]
    """Set by clients of the published API, for agents that do not use our protocol."""
    client_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("api_clients.id", ondelete="SET NULL"), unique=True
    )
    connected_until: Mapped[ClockTime] = mapped_column(default=0.0)
    created_at: Mapped[Created]


class Model(Table):
    """A model; its document is in its newest version."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("group_id", "name"), {"sqlite_autoincrement": True})

    id: Mapped[Id]
    uuid: Mapped[Uuid] = mapped_column(unique=True)
    name: Mapped[Name]
    group_id: Mapped[int] = mapped_column(BigId, ForeignKey("groups.id"))
    agent_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("agents.id", ondelete="SET NULL"), index=True
    )
    version_number: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Created]
    updated_at: Mapped[datetime] = mapped_column(Moment, default=now)

    group: Mapped[Group] = relationship()
    test_cases: Mapped[list["TestCase"]] = relationship(
        order_by="TestCase.id", cascade="all, delete-orphan", passive_deletes=True, back_populates="model"
    )


class ModelVersion(Table):
    """One graph of a model; its id is the `hierarchyid` of the runs measured against it.

    Only the list of test cases in its document changes: it follows the rows of the newest version.
    """

    __tablename__ = "model_versions"
    __table_args__ = (UniqueConstraint("model_id", "number"), {"sqlite_autoincrement": True})

    id: Mapped[Id]
    model_id: Mapped[int] = mapped_column(BigId, ForeignKey("models.id", ondelete="CASCADE"))
    number: Mapped[int]
    document: Mapped[Body]
    passed: Mapped[int] = mapped_column(default=0)
    """The number of runs that passed, counted as they end: a later count would read all runs."""
    failed: Mapped[int] = mapped_column(default=0)
    broken: Mapped[int] = mapped_column(default=0)
    """Ended as ERROR or CANCELLED: no verdict on the system under test."""
    created_at: Mapped[Created]


class TestCase(Table):
    """A way through a model, written in the test-case language."""

    __tablename__ = "test_cases"
    __table_args__ = (UniqueConstraint("model_id", "name"), {"sqlite_autoincrement": True})
    __test__ = False  # The name looks like a test to pytest.

    id: Mapped[Id]
    model_id: Mapped[int] = mapped_column(BigId, ForeignKey("models.id", ondelete="CASCADE"))
    name: Mapped[Name]
    text: Mapped[Body]
    tags: Mapped[Body]
    description: Mapped[Body]
    origin: Mapped[Name]
    external_id: Mapped[Name]
    runs: Mapped[int] = mapped_column(default=0)
    fails: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Created]

    model: Mapped[Model] = relationship(back_populates="test_cases")


class ModelTag(Table):
    """A word that a person has given to a model."""

    __tablename__ = "model_tags"
    __table_args__ = (UniqueConstraint("model_id", "tag"), {"sqlite_autoincrement": True})

    id: Mapped[Id]
    model_id: Mapped[int] = mapped_column(BigId, ForeignKey("models.id", ondelete="CASCADE"))
    tag: Mapped[Name]
    author: Mapped[Name]
    """The name of the person who added the tag; it stays when the person is deleted."""
    created_at: Mapped[Created]


class ModelAsset(Table):
    """The use of an asset by a model. An asset is only an id, and exists as long as a model uses it."""

    __tablename__ = "model_assets"
    __table_args__ = (UniqueConstraint("model_id", "asset_id"), {"sqlite_autoincrement": True})

    id: Mapped[Id]
    model_id: Mapped[int] = mapped_column(BigId, ForeignKey("models.id", ondelete="CASCADE"))
    asset_id: Mapped[Name] = mapped_column(index=True)
    created_at: Mapped[Created]


class CoverageModel(Table):
    """A measure of coverage for all models: the length of paths, and the number of variables that are combined."""

    __tablename__ = "coverage_models"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[Id]
    name: Mapped[Name] = mapped_column(unique=True)
    variable_depth: Mapped[int]
    path_depth: Mapped[int]
    is_active: Mapped[bool]
    created_at: Mapped[Created]


class TransitionTotal(Table):
    """How often finished runs of a version took an action in a state; kept up when a run finishes."""

    __tablename__ = "transition_totals"

    version_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("model_versions.id", ondelete="CASCADE"), primary_key=True
    )
    test_case: Mapped[str] = mapped_column(String(255), primary_key=True)
    """The name of the test case that was walked; empty for walks without one."""
    state: Mapped[str] = mapped_column(String(255), primary_key=True)
    action: Mapped[str] = mapped_column(String(255), primary_key=True)
    passes: Mapped[int] = mapped_column(Integer)
    fails: Mapped[int] = mapped_column(Integer)
