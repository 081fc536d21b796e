"""Guesses at passwords, counted in the database before each is looked at: by account, and by where they come from.

In the database they outlive a restart and are the same for every server. API clients' secrets are not counted:
they are 256 random bits, which nobody guesses, and an agent with an old one must not lock out its whole house.
"""

import hashlib
import math

from sqlalchemy import case, delete, update
from sqlalchemy.orm import Session

from opendai.auth.addresses import network_of
from opendai.database import Database, database_clock, upsert
from opendai.errors import TooMany
from opendai.tables import LoginAttempts

ACCOUNT_ATTEMPTS = 10
ADDRESS_ATTEMPTS = 100
SPAN_SECONDS = 300
LOCK_SECONDS = 600


def begin_attempt(database: Database, username: str, address: str | None) -> bool:
    """Count an attempt; whether the password may be looked at. TooMany: the address is locked.

    The address comes first: who is locked out by it cannot go on to lock the accounts of others.
    """
    with database.writing() as session:
        seconds = _count(session, "address", network_of(address), most=ADDRESS_ATTEMPTS) if address else 0.0
        is_locked = not seconds and _count(session, "account", _account(username), most=ACCOUNT_ATTEMPTS) > 0
    if seconds:
        raise TooMany(
            "Too many failed logins came from this address. Try again later.", retry_after=math.ceil(seconds)
        )
    return not is_locked


def give_back(database: Database, username: str, address: str | None) -> None:
    """The password was right: the account starts anew, and the address has one attempt less."""
    row = LoginAttempts
    with database.writing() as session:
        if address:
            # A lock is not taken back by a login that was begun before it.
            session.execute(
                update(row)
                .where(row.kind == "address", row.key == network_of(address))
                .where(row.count.between(1, ADDRESS_ATTEMPTS))
                .values(count=row.count - 1)
            )
        forget_account(session, username)


def forget_account(session: Session, username: str) -> None:
    """Unlock an account, whoever guessed at it."""
    row = LoginAttempts
    session.execute(delete(row).where(row.kind == "account", row.key == _account(username)))


def _account(username: str) -> str:
    # A hash, because people type passwords into the wrong field; also of names that nobody has.
    return hashlib.sha256(username.encode(errors="surrogatepass")).hexdigest()


def _count(session: Session, kind: str, key: str, *, most: int) -> float:
    """Count one more in a single statement, so that parallel guesses all count; the seconds left of a lock."""
    row, now = LoginAttempts, database_clock()
    is_over = row.expires <= now
    counted = (
        upsert(session, row)
        .values(kind=kind, key=key, count=1, expires=now + SPAN_SECONDS)
        .on_conflict_do_update(
            index_elements=["kind", "key"],
            set_={
                "count": case((is_over, 1), else_=row.count + 1),
                "expires": case(
                    (is_over, now + SPAN_SECONDS),
                    (row.count == most, now + LOCK_SECONDS),
                    else_=row.expires,
                ),
            },
        )
        .returning(row.count, row.expires - now)
    )
    count, seconds = session.execute(counted).one()
    return float(seconds) if count > most else 0.0
