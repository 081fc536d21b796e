"""One chain of migrations for both databases, and models that agree with what it makes."""

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text

from opendai import migration, tables
from opendai.database import Database, Table, changing_schema
from opendai.installation import install
from opendai.migration import NewerDatabase, migrate
from opendai.settings import Settings


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'opendai.db'}"
    return request.getfixturevalue("postgres_server").create_database(f"migrations_{secrets.token_hex(4)}")


@pytest.fixture
def alembic(url: str) -> Callable[..., None]:
    """One of Alembic's commands on the database, in a transaction of its own."""

    def run(function: Callable[..., object], *arguments: str) -> None:
        config = _config()
        with changing_schema(url) as connection:
            config.attributes["connection"] = connection
            function(config, *arguments)

    return run


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    return config


def _schema(url: str) -> dict[str, object]:
    """The tables with their columns, keys and indexes."""
    with changing_schema(url) as connection:
        found = inspect(connection)
        return {
            name: (
                [
                    (column["name"], str(column["type"]), column["nullable"])
                    for column in found.get_columns(name)
                ],
                found.get_pk_constraint(name),
                sorted(found.get_foreign_keys(name), key=str),
                sorted(found.get_unique_constraints(name), key=str),
                sorted(found.get_indexes(name), key=str),
            )
            for name in sorted(found.get_table_names())
        }


def _differences(connection: Connection) -> list[object]:
    options = {"compare_server_default": True, "render_as_batch": connection.dialect.name == "sqlite"}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), Table.metadata))


def test_the_chain_has_one_head_and_one_beginning():
    scripts = ScriptDirectory.from_config(_config())
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    assert migration._scripts() == Path(__file__).parents[1] / "migrations"


def test_the_models_agree_with_an_installed_database(url: str, alembic: Callable[..., None]):
    with changing_schema(url) as connection:
        assert _differences(connection), "an empty database must differ, or nothing is compared"
        before, after = migrate(connection)
    assert (before, after) == (None, ScriptDirectory.from_config(_config()).get_current_head())
    with changing_schema(url) as connection:
        assert _differences(connection) == []
    alembic(command.check)
    assert set(_schema(url)) == {*Table.metadata.tables, "alembic_version"}


def test_the_way_down_and_up_again_ends_where_it_began(url: str, alembic: Callable[..., None]):
    alembic(command.upgrade, "head")
    made = _schema(url)
    alembic(command.downgrade, "base")
    assert set(_schema(url)) == {"alembic_version"}
    alembic(command.upgrade, "head")
    assert _schema(url) == made


def test_each_step_goes_down_and_up_by_itself(url: str, alembic: Callable[..., None]):
    alembic(command.upgrade, "head")
    made = _schema(url)
    for _ in ScriptDirectory.from_config(_config()).walk_revisions():
        alembic(command.downgrade, "-1")
    for _ in ScriptDirectory.from_config(_config()).walk_revisions():
        alembic(command.upgrade, "+1")
    assert _schema(url) == made


def test_a_failed_migration_leaves_nothing(url: str):
    def fail_after_migrating() -> None:
        with changing_schema(url) as connection:
            migrate(connection)
            connection.execute(text("SELECT * FROM there_is_no_such_table"))

    with pytest.raises(Exception, match="there_is_no_such_table"):
        fail_after_migrating()
    assert _schema(url) == {}


def test_installing_twice_changes_nothing(url: str, tmp_path: Path):
    settings = Settings(database_url=url, data_dir=tmp_path / "data")
    first = install(settings)
    kept = _rows(url)
    made = _schema(url)
    second = install(settings)
    assert first.before is None
    assert first.admin is not None
    assert (second.before, second.after, second.admin) == (first.after, first.after, None)
    assert _rows(url) == kept
    assert _schema(url) == made


def test_a_newer_database_is_left_alone(url: str, tmp_path: Path):
    settings = Settings(database_url=url, data_dir=tmp_path / "data")
    install(settings)
    with changing_schema(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    kept, made = _rows(url), _schema(url)
    with pytest.raises(NewerDatabase, match="9999"):
        install(settings)
    assert (_rows(url), _schema(url)) == (kept, made)


def _rows(url: str) -> list[tuple[object, ...]]:
    """What an installation writes."""
    database = Database(url, threads=2)
    try:
        with database.reading() as session:
            kinds = [
                tables.User.__table__,
                tables.Group.__table__,
                tables.Membership.__table__,
                tables.SigningKey.__table__,
            ]
            rows = [tuple(row) for kind in kinds for row in session.execute(select(kind))]
            return [*rows, tuple(session.execute(text("SELECT version_num FROM alembic_version")).one())]
    finally:
        database.close()
