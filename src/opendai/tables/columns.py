"""The column types that both databases share."""

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Dialect, Double, Integer, String, Text, TypeDecorator
from sqlalchemy.orm import mapped_column

# SQLite numbers rows by itself only in a column of exactly this type; it holds 64 bits all the same.
BigId = BigInteger().with_variant(Integer(), "sqlite")


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept in UTC with microseconds."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Any:
        """On SQLite the text is made at once: the processor of SQLAlchemy takes three times as long."""
        return _text_of if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value  # type: ignore[no-any-return]  # PostgreSQL gives aware moments.
        return value.replace(tzinfo=UTC)  # type: ignore[no-any-return]


def _text_of(value: datetime | None) -> str | None:
    """The text in which SQLAlchemy keeps a moment on SQLite, which sorts by time."""
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def now() -> datetime:
    return datetime.now(UTC)


Id = Annotated[int, mapped_column(BigId, primary_key=True)]
Uuid = Annotated[str, mapped_column(String(36))]
Name = Annotated[str, mapped_column(String(255))]
Body = Annotated[str, mapped_column(Text)]
When = Annotated[datetime, mapped_column(Moment)]
Created = Annotated[datetime, mapped_column(Moment, default=now)]
# Seconds since 1970 by the database's clock.
ClockTime = Annotated[float, mapped_column(Double)]
