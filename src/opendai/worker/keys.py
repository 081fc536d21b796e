"""Reads the signing keys again, because other servers change them, and disables old ones."""

import threading

import structlog

from opendai.credentials.key_rotation import has_keys_to_retire, retire_keys
from opendai.parts import Parts

_log = structlog.get_logger("opendai.worker")


def read_keys(parts: Parts, _stopping: threading.Event) -> None:
    parts.keys.read()


def retire_old_keys(parts: Parts, _stopping: threading.Event) -> None:
    """Disable the keys that no longer sign, once every token that they signed has expired."""
    with parts.database.reading() as session:
        if not has_keys_to_retire(session):
            return
    with parts.database.writing() as session:
        _log.info("keys were disabled because their tokens have expired", keys=retire_keys(session))
