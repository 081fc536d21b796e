"""Brings a database to the schema of this release."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection


class NewerDatabase(Exception):  # noqa: N818 - the name says what was found
    """The database was written by a newer release than this one."""


def migrate(connection: Connection) -> tuple[str | None, str]:
    """Apply the missing revisions inside the caller's transaction; return the revisions before and after."""
    config = _config()
    head = str(ScriptDirectory.from_config(config).get_current_head())
    before = MigrationContext.configure(connection).get_current_revision()
    if before != head:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise NewerDatabase(f"The database is at revision {before}, which this release lacks.") from error
    return before, head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    return config


def _scripts() -> Path:
    # An installed wheel has the scripts inside the package; a checkout has them at its top.
    inside = Path(__file__).parent / "migrations"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "migrations"
