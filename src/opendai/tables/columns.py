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

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value  # type: ignore[no-any-return]  # PostgreSQL gives aware moments.
        return value.replace(tzinfo=UTC)  # type: ignore[no-any-return]


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
