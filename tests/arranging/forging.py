"""A forger: tokens with any header and any claims, signed by any key or by none."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from sqlalchemy import select

from opendai.api.server import Server
from opendai.tables import SigningKey

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Forger:
    """The knowledge of a forger, and, to show that nothing but the change is refused, our own signature."""

    kid: str
    claims: dict[str, Any]
    private_key: RSAPrivateKey
    public_jwk: str

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": "RS256", "typ": "JWT", "kid": self.kid}

    def ours(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Signed by our key; a claim that is None is left out."""
        said = {name: value for name, value in {**self.claims, **claims}.items() if value is not None}
        return compact({**self.header, **(header or {})}, said, rs256(self.private_key))

    def with_header(self, sign: Sign, **header: Any) -> str:
        return compact({**self.header, **header}, self.claims, sign)

    def public(self, encoding: Encoding, form: PublicFormat) -> bytes:
        return self.private_key.public_key().public_bytes(encoding, form)

    @property
    def modulus(self) -> bytes:
        return self.private_key.public_key().public_numbers().n.to_bytes(256)


def make_forger(app: Server, token: str) -> Forger:
    """A forger who has seen this token."""
    with app.state.parts.database.reading() as session:
        row = session.scalars(select(SigningKey).order_by(SigningKey.id).limit(1)).one()
    pem = app.state.parts.secret_key.decrypt(row.private_key, place=f"signing_keys:{row.kid}:private_key")
    key = load_pem_private_key(pem, None)
    assert isinstance(key, RSAPrivateKey)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return Forger(row.kid, claims, key, row.public_key)


def foreign_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def rs256(key: RSAPrivateKey) -> Sign:
    return lambda message: key.sign(message, PKCS1v15(), hashes.SHA256())


def hs256(secret: bytes) -> Sign:
    def sign(message: bytes) -> bytes:
        mac = hmac.HMAC(secret, hashes.SHA256())
        mac.update(message)
        return mac.finalize()

    return sign


def unsigned(_message: bytes) -> bytes:
    return b""


def compact(header: Any, claims: Any, sign: Sign) -> str:
    message = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{message}.{encoded(sign(message.encode()))}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
