"""One chain of migrations for both databases, rows that survive each of its steps, and tables that agree with it.

To add a step:

1. Change the tables in `src/opendai/tables`. On a migrated SQLite database, run `alembic revision --autogenerate
   --rev-id 0004 -m "what it does"` with the next number, and read what it wrote into `migrations/versions`.
2. Fill a new table in `migration_rows/<revision>.sql`, with rows as that revision has them. Rows of older files are
   upgraded to that revision first, so old files stay as they are.
3. If the step changes rows or names of columns, describe the changed rows in `_CHANGES`. The rows of a step that is
   not in there must be the same before and after it.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, select, text

from opendai import migration, tables
from opendai.database import Database, Table, changing_schema
from opendai.installation import install
from opendai.migration import NewerDatabase, migrate
from opendai.settings import Settings

Rows = dict[str, list[dict[str, Any]]]
"""The rows of each table, as values by the names of the columns."""

_ROWS = Path(__file__).parent / "migration_rows"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    return config


def _renamed(table: str, names: dict[str, str]) -> Callable[[Rows], Rows]:
    """The rows after columns of a table got other names."""

    def rename(rows: Rows) -> Rows:
        changed = [{names.get(name, name): value for name, value in row.items()} for row in rows[table]]
        return {**rows, table: changed}

    return rename


_CHANGES: dict[str, Callable[[Rows], Rows]] = {
    "0002": _renamed(
        "agents",
        {
            "recordpath": "record_path",
            "agenttype": "agent_type",
            "epphost": "epp_host",
            "epptestcontrollerport": "epp_test_controller_port",
            "eppanalyzerport": "epp_analyzer_port",
            "eppworkspacepath": "epp_workspace_path",
        },
    ),
    "0003": _renamed("model_versions", {"modeljson": "document"}),
}
"""How each step that changes rows changes them."""


def _revisions() -> list[str]:
    """The revisions of the chain, the oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


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


@pytest.mark.parametrize("revision", _revisions()[1:])
def test_a_step_keeps_the_rows_of_the_previous_revision(
    url: str, alembic: Callable[..., None], revision: str
):
    previous = _revisions()[_revisions().index(revision) - 1]
    before = _fill(url, alembic, previous)
    alembic(command.upgrade, revision)
    after = _all_rows(url)
    expected = _CHANGES.get(revision, dict)(before)
    assert {table: after[table] for table in expected} == expected
    alembic(command.downgrade, previous)
    assert _all_rows(url) == before


def test_the_models_read_the_rows_of_an_upgraded_database(url: str, alembic: Callable[..., None]):
    head = _revisions()[-1]
    _fill(url, alembic, head)
    alembic(command.check)
    database = Database(url, threads=2)
    try:
        with database.reading() as session:
            kept = {
                mapper.class_: session.scalars(select(mapper.class_)).all()
                for mapper in Table.registry.mappers
            }
            assert [table.__name__ for table, rows in kept.items() if not rows] == []
            run = session.scalars(select(tables.Run)).one()
            assert (run.seed, run.started_at) == (2**53 + 1, datetime(2026, 11, 22, 9, 40, 10, tzinfo=UTC))
            newest = session.get_one(tables.ModelVersion, 2)
            assert (newest.document, newest.passed) == ('{"elements": [], "name": "Größe"}', 4)
            agent = session.scalars(select(tables.Agent)).one()
            assert (agent.agent_type, agent.epp_test_controller_port) == ("RUN", 5000)
    finally:
        database.close()


def _fill(url: str, alembic: Callable[..., None], revision: str) -> Rows:
    """Rows in every table of a revision: those of older revisions are upgraded, those of new tables are added."""
    for step in _revisions()[: _revisions().index(revision) + 1]:
        alembic(command.upgrade, step)
        file = _ROWS / f"{step}.sql"
        if file.exists():
            _execute(url, file.read_text(encoding="utf-8"))
    rows = _all_rows(url)
    empty = sorted(table for table in rows if not rows[table])
    assert empty == [], f"each table needs a row in one of the files in {_ROWS.name}"
    return rows


def _execute(url: str, statements: str) -> None:
    with changing_schema(url) as connection:
        kind = "BLOB" if connection.dialect.name == "sqlite" else "BYTEA"
        for statement in statements.replace("{bytes}", kind).split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)


def _all_rows(url: str) -> Rows:
    """Every row, by the columns that the database itself has."""
    found = MetaData()
    with changing_schema(url) as connection:
        found.reflect(connection)
        assert (
            connection.dialect.name != "sqlite"
            or not connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        )
        return {
            table.name: [
                dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in found.sorted_tables
            if table.name != "alembic_version"
        }


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
    """The rows that an installation writes."""
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
