"""The secret key of an installation, and secrets at rest: AES-256-GCM, bound to the column that holds them."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class SecretKeyProblem(Exception):  # noqa: N818 - a refusal to start, with its reason
    """The secret key is missing or malformed, or it is not the one that encrypted the data."""


@dataclass(frozen=True, slots=True, repr=False)
class SecretKey:
    """32 random bytes from which every other key of the installation is derived by purpose."""

    value: bytes

    def derive(self, purpose: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"opendai {purpose} v1".encode()).derive(
            self.value
        )

    def encrypt(self, plain: bytes, *, place: str) -> bytes:
        """Encrypt for one place ("table:id:column"); the result cannot be decrypted at another place."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.derive("secrets at rest")).encrypt(nonce, plain, place.encode())

    def decrypt(self, sealed: bytes, *, place: str) -> bytes:
        try:
            return AESGCM(self.derive("secrets at rest")).decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode()
            )
        except InvalidTag as error:
            raise SecretKeyProblem(
                f"The secret at {place} cannot be read: the secret key is not the one it was written with."
            ) from error


def load_secret_key(path: Path) -> SecretKey:
    """Read the key file, or make it with mode 0600. If two servers make it at once, both use the first."""
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        text = _make(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SecretKeyProblem(f"The secret key file {path} cannot be read.") from error
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise SecretKeyProblem(f"The secret key file {path} must hold 32 bytes as 64 hexadecimal digits.")
    return SecretKey(value)


def _make(path: Path) -> str:
    text = secrets.token_hex(32)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails if the name is taken, so no process reads half a key or replaces the key in use.
        os.link(fresh, path)
    except FileExistsError:
        return path.read_text("ascii").strip()
    except OSError as error:
        raise SecretKeyProblem(f"The secret key file {path} cannot be made: {error.strerror}.") from error
    finally:
        fresh.unlink(missing_ok=True)
    return text
