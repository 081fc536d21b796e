"""The settings and the database of commands that work beside a running server."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from opendai.database import Database
from opendai.installation import FirstAdmin, find_public_url, install
from opendai.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where the database, the files and the key live.", show_default="data"),
]


def read_settings(data_dir: Path | None) -> Settings:
    """The settings of the environment, with the option in front; worker processes read the same."""
    if data_dir is not None:
        os.environ["OPENDAI_DATA_DIR"] = str(data_dir.absolute())
    return Settings()


@contextlib.contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database, installed or migrated first if necessary."""
    installed = install(settings)
    announce_admin(installed.admin)
    database = Database(settings.database, threads=2, timeout_seconds=settings.database_timeout_seconds)
    try:
        yield database
    finally:
        database.close()


def announce_admin(admin: FirstAdmin | None) -> None:
    """Show a new administrator's random password, this once. On standard error: standard output is for data."""
    if admin and admin.password:
        typer.echo(
            f"The administrator is {admin.username} with the password {admin.password} (shown only now).",
            err=True,
        )


def server_url(settings: Settings, session: Session, public_url: str | None) -> str:
    """The address that was given, set, or last served."""
    url = public_url or settings.public_url or find_public_url(session) or "http://localhost:8000"
    return url.rstrip("/")
