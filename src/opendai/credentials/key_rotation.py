"""The rotation of the keys that sign tokens. No valid token is refused at any moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from joserfc.jwk import RSAKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai.credentials.keys import signing_key
from opendai.credentials.secrets import SecretKey
from opendai.database import database_clock
from opendai.errors import Conflict, NotFound
from opendai.tables import SigningKey

# By then every process has read the new key, and every client that caches our list of keys has read it again.
SECONDS_BEFORE_SIGNING = 10.0
# No setting lets a token live longer than a day; the rest is a margin for clocks that differ.
_SECONDS_OF_USE = 86_400 + 600


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key as people see it. `state` is waits, signs, verifies or disabled."""

    kid: str
    state: str
    signs_from: datetime


def rotate_keys(
    session: Session, secret_key: SecretKey, pair: RSAKey, *, delay: float = SECONDS_BEFORE_SIGNING
) -> KeyState:
    """Let a new key pair sign after a delay; the earlier pairs still verify."""
    row = signing_key(pair, secret_key, signs_from=_now(session) + delay)
    session.add(row)
    session.flush()
    return KeyState(row.kid, "waits", _moment(row))


def search_keys(session: Session) -> list[KeyState]:
    """Every key, youngest first."""
    rows = session.scalars(
        select(SigningKey).order_by(SigningKey.signs_from.desc(), SigningKey.id.desc())
    ).all()
    now = _now(session)
    signing = next((row for row in rows if not row.is_disabled and row.signs_from <= now), None)
    return [KeyState(row.kid, _state(row, signing, now), _moment(row)) for row in rows]


def disable_key(session: Session, kid: str) -> None:
    """Refuse every token that the key signed, from now on."""
    enabled, now = _lock_enabled(session), _now(session)
    row = next((row for row in enabled if row.kid == kid), None)
    if row is None:
        if session.scalar(select(SigningKey.id).where(SigningKey.kid == kid)) is None:
            raise NotFound(f"There is no key {kid}.")
        return
    if not any(other.signs_from <= now for other in enabled if other is not row):
        raise Conflict(f"The key {kid} is the only one that can sign now. Rotate the keys first.")
    row.is_disabled = True


def has_keys_to_retire(session: Session) -> bool:
    rows = session.scalars(select(SigningKey).where(~SigningKey.is_disabled)).all()
    return any(_outlived(rows, _now(session)))


def retire_keys(session: Session) -> list[str]:
    """Disable the keys that no longer sign and whose tokens have all expired; return their ids."""
    outlived = list(_outlived(_lock_enabled(session), _now(session)))
    for row in outlived:
        row.is_disabled = True
    return [row.kid for row in outlived]


def _outlived(enabled: Sequence[SigningKey], now: float) -> Iterator[SigningKey]:
    for row in enabled:
        ends = [other.signs_from for other in enabled if _age(other) > _age(row)]
        if ends and min(ends) + _SECONDS_OF_USE < now:
            yield row


def _lock_enabled(session: Session) -> list[SigningKey]:
    # If two transactions disable keys at the same moment, the second one sees the result of the first.
    locked = select(SigningKey).where(~SigningKey.is_disabled).order_by(SigningKey.id).with_for_update()
    return list(session.scalars(locked))


def _age(row: SigningKey) -> tuple[float, int]:
    return row.signs_from, row.id


def _state(row: SigningKey, signing: SigningKey | None, now: float) -> str:
    if row.is_disabled:
        return "disabled"
    if row is signing:
        return "signs"
    return "waits" if row.signs_from > now else "verifies"


def _moment(row: SigningKey) -> datetime:
    # The first key signs from the beginning of time, so its creation is shown instead.
    return datetime.fromtimestamp(row.signs_from, UTC) if row.signs_from else row.created_at


def _now(session: Session) -> float:
    return session.scalars(select(database_clock())).one()
