"""The file with which opendai-agent finds its server and logs in."""

import os
import secrets
from pathlib import Path

from sqlalchemy.orm import Session

from opendai.auth.audit import Audit
from opendai.auth.logins import find_client
from opendai.resources.api_clients.credential_files import as_ini
from opendai.resources.api_clients.repository import ApiClientRepository
from opendai.resources.api_clients.schemas import Role
from opendai_client.agent.configuration import ConfigurationError, read_ini


def keep_working(
    session: Session, path: Path, audit: Audit, *, name: str, role: Role, url: str, token_url: str
) -> str:
    """Let the client of this name log in with the file; return a sentence about it.

    A file that works stays as it is, so this may run at every start. OSError: the file cannot be written.
    """
    if _works(session, path, name=name, role=role, url=url, token_url=token_url):
        return f"The API client {name} can log in with {path} already."
    credentials = ApiClientRepository(session).issue(name, role=role, audit=audit)
    # Before the commit: a file without its row does not work, and is written anew the next time.
    _write(path, as_ini(credentials.client_id, credentials.client_secret, token_url, url=url))
    return f"The API client {name} can log in with {path}."


def _works(session: Session, path: Path, *, name: str, role: str, url: str, token_url: str) -> bool:
    try:
        access = read_ini(path)
    except ConfigurationError:
        return False
    client = find_client(session, access.client_id, access.client_secret)
    return (
        client is not None
        and (client.name, client.role) == (name, role)
        and (access.url, access.token_url) == (url, token_url)
    )


def _write(path: Path, text: str) -> None:
    """Readable by its owner alone, and complete from the moment that it exists."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
