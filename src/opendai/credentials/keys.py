"""The key pairs that sign tokens: kept in the database, the private half encrypted."""

import json
import math
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from joserfc.jwk import KeyParameters, RSAKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai.credentials.secrets import SecretKey
from opendai.database import Database, database_clock
from opendai.tables import SigningKey

SECONDS_BETWEEN_READS = 1.0
_BITS = 2048


@dataclass(frozen=True, slots=True, repr=False)
class _Keys:
    """The content of the table when it was read: the keys by their ids, and when each begins to sign, youngest
    first."""

    by_kid: dict[str, RSAKey]
    starts: Sequence[tuple[float, str]]
    ahead: float
    """The time of the database's clock when ours shows zero."""


class KeyRing:
    """The keys of an installation: the youngest one whose time has come signs, and all that are not disabled
    verify.

    The worker reads the table each second, so every process knows a key long before the key signs. Signing and
    verifying read nothing. Key objects are built once, because parsing a PEM is slow.
    """

    def __init__(
        self, database: Database, secret_key: SecretKey, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._secret_key = secret_key
        self._clock = clock
        self._turn = threading.Lock()
        self._read_at = -math.inf
        self._keys = _Keys({}, (), 0.0)
        self.read()

    @property
    def signing(self) -> RSAKey:
        keys = self._keys
        now = keys.ahead + self._clock()
        return keys.by_kid[next(kid for signs_from, kid in keys.starts if signs_from <= now)]

    @property
    def published(self) -> list[RSAKey]:
        """Every key that may verify, also those that do not sign yet."""
        keys = self._keys
        return [keys.by_kid[kid] for _, kid in keys.starts]

    def verifying(self, kid: str) -> RSAKey:
        """The key of this id; KeyError if it is none of ours."""
        if kid not in self._keys.by_kid:
            self._read_unless_recent()
        return self._keys.by_kid[kid]

    def read(self) -> None:
        """Read the table again."""
        with self._turn:
            self._read()

    def _read_unless_recent(self) -> None:
        # Anyone can send an unknown id any number of times, so an unknown id causes no reading.
        with self._turn:
            if self._clock() - self._read_at >= SECONDS_BETWEEN_READS:
                self._read()

    def _read(self) -> None:
        known = self._keys.by_kid
        self._read_at = self._clock()
        with self._database.reading() as session:
            rows = session.execute(_ENABLED).all()
            ahead = rows[0].now - self._clock() if rows else 0.0
            by_kid = {row.kid: known.get(row.kid) or self._load(session, row.kid) for row in rows}
        self._keys = _Keys(by_kid, [(row.signs_from, row.kid) for row in rows], ahead)

    def _load(self, session: Session, kid: str) -> RSAKey:
        sealed = session.scalars(select(SigningKey.private_key).where(SigningKey.kid == kid)).one()
        private = self._secret_key.decrypt(sealed, place=_place(kid))
        return RSAKey.import_key(private, _parameters(kid))


_ENABLED = (
    select(SigningKey.kid, SigningKey.signs_from, database_clock().label("now"))
    .where(~SigningKey.is_disabled)
    .order_by(SigningKey.signs_from.desc(), SigningKey.id.desc())
)


def ensure_signing_key(
    session: Session, secret_key: SecretKey, *, make: Callable[[], RSAKey] | None = None
) -> None:
    """Make the first key pair; called under the write lock of the start, so that two servers agree on one."""
    if session.scalar(select(SigningKey.id).limit(1)) is None:
        session.add(signing_key((make or fresh_pair)(), secret_key))


def signing_key(pair: RSAKey, secret_key: SecretKey, *, signs_from: float = 0.0) -> SigningKey:
    """The row of a key pair."""
    kid = pair.kid or uuid.uuid4().hex
    return SigningKey(
        kid=kid,
        private_key=secret_key.encrypt(pair.as_pem(private=True), place=_place(kid)),
        public_key=json.dumps(pair.as_dict(private=False)),
        signs_from=signs_from,
    )


def fresh_pair() -> RSAKey:
    return RSAKey.generate_key(_BITS, _parameters(uuid.uuid4().hex))


def _parameters(kid: str) -> KeyParameters:
    return {"kid": kid, "use": "sig", "alg": "RS256"}


def _place(kid: str) -> str:
    return f"signing_keys:{kid}:private_key"
