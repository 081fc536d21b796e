"""The registries beside the tables list every table that they must."""

from opendai import tables
from opendai.database import Table

_BELONGS_TO_MODEL = {"model_id", "run_id", "execution_id"}


def _tables_with(*columns: str) -> set[str]:
    return {table.name for table in Table.metadata.sorted_tables if set(columns) <= set(table.c.keys())}


def _names(registry: tuple[type[Table], ...]) -> set[str]:
    return {table.__tablename__ for table in registry}


def test_each_table_of_a_group_and_a_model_moves_with_the_model():
    belonging = set().union(*(_tables_with("group_id", column) for column in _BELONGS_TO_MODEL))
    assert _names(tables.MOVING) == belonging


def test_a_table_that_moves_names_its_model_or_its_run():
    assert _names(tables.MOVING) <= _tables_with("model_id") | _tables_with("run_id")


def test_each_table_whose_rows_expire_is_listed():
    assert _names(tables.PASSING) == _tables_with("expires")
