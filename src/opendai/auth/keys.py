"""The key pairs that sign tokens: kept in the database, the private half encrypted."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from joserfc.jwk import RSAKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai.auth.secrets import SecretKey
from opendai.database import database_clock
from opendai.tables import SigningKey

_BITS = 2048


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """The keys of an installation: one signs, all verify. Key objects are built once: parsing a PEM is slow."""

    signing: RSAKey
    verifying: dict[str, RSAKey]


def ensure_signing_key(
    session: Session, secret_key: SecretKey, *, make: Callable[[], RSAKey] | None = None
) -> None:
    """Make the first key pair; called under the write lock of the start, so that two servers agree on one."""
    if session.scalar(select(SigningKey.id).limit(1)) is not None:
        return
    pair = (make or _fresh_pair)()
    kid = pair.kid or uuid.uuid4().hex
    session.add(
        SigningKey(
            kid=kid,
            private_key=secret_key.encrypt(pair.as_pem(private=True), place=_place(kid)),
            public_key=json.dumps(pair.as_dict(private=False)),
        )
    )


def load_key_ring(session: Session, secret_key: SecretKey) -> KeyRing:
    rows = session.scalars(
        select(SigningKey)
        .where(~SigningKey.is_disabled)
        .order_by(SigningKey.signs_from.desc(), SigningKey.id.desc())
    ).all()
    now = session.scalar(select(database_clock())) or 0.0
    active = next(row for row in rows if row.signs_from <= now)
    private = secret_key.decrypt(active.private_key, place=_place(active.kid))
    return KeyRing(
        signing=RSAKey.import_key(private, {"kid": active.kid}),
        verifying={row.kid: RSAKey.import_key(json.loads(row.public_key)) for row in rows},
    )


def _fresh_pair() -> RSAKey:
    return RSAKey.generate_key(_BITS, {"kid": uuid.uuid4().hex, "use": "sig", "alg": "RS256"})


def _place(kid: str) -> str:
    return f"signing_keys:{kid}:private_key"
