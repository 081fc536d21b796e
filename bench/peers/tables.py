"""The tables of the plain application, with the columns of opendai's."""

from datetime import datetime

from sqlalchemy import DateTime, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Table(DeclarativeBase):
    pass


class ApiClient(Table):
    """A program that may ask."""

    __tablename__ = "api_clients"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    role: Mapped[str] = mapped_column(String(10))
    generation: Mapped[int]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Agent(Table):
    __tablename__ = "agents"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    recordpath: Mapped[str]
    suite: Mapped[str]
    agenttype: Mapped[str] = mapped_column(String(20))
    epphost: Mapped[str]
    epptestcontrollerport: Mapped[int]
    eppanalyzerport: Mapped[int]
    eppworkspacepath: Mapped[str]
    isconnected: Mapped[bool]
    ishosted: Mapped[bool]


class Step(Table):
    """One action that was performed in a run."""

    __tablename__ = "steps"

    run_id: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    order: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(255))
    target: Mapped[str] = mapped_column(String(255))
    phase: Mapped[str] = mapped_column(String(10))
    passed: Mapped[bool]
    seconds: Mapped[float]
    message: Mapped[str]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
