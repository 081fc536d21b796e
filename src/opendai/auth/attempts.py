"""Login attempts, counted before the password is checked: by account, and by address.

The counts are in the database, so that they survive a restart and hold for every server. The secrets of API
clients are not counted: they are 256 random bits, which cannot be guessed, and an agent with an old secret must
not lock the address that it shares.
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
    """Count an attempt, and tell whether the password may be checked. TooMany: the address is locked.

    The address comes first: a locked address cannot go on to lock the accounts of others.
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
    """The password was right: reset the account, and take the attempt back from the address."""
    row = LoginAttempts
    with database.writing() as session:
        if address:
            # A login that began before the lock does not end it.
            session.execute(
                update(row)
                .where(row.kind == "address", row.key == network_of(address))
                .where(row.count.between(1, ADDRESS_ATTEMPTS))
                .values(count=row.count - 1)
            )
        forget_account(session, username)


def forget_account(session: Session, username: str) -> None:
    """Unlock an account."""
    row = LoginAttempts
    session.execute(delete(row).where(row.kind == "account", row.key == _account(username)))


def _account(username: str) -> str:
    # A hash, because people type passwords into the wrong field. Names that do not exist are counted too.
    return hashlib.sha256(username.encode(errors="surrogatepass")).hexdigest()


def _count(session: Session, kind: str, key: str, *, most: int) -> float:
    """Count one attempt in one statement, so that parallel attempts all count; return the seconds left of a
    lock."""
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
