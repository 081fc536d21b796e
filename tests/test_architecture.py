"""Where code may be. import-linter holds who sees whom; these rules hold what it cannot see."""

import ast
import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import opendai
from opendai import api
from opendai.api.dialect import Family
from opendai.api.server import Server
from opendai.settings import Settings
from opendai.wire.routing import Router
from tests.rules import code
from tests.rules.code import Rule
from tests.rules.sources import ROOT, Source, read_sources

# Each rule, the folders that it holds in, and the places that do not keep it yet. An entry that keeps it must go.
RULES: list[tuple[Rule, tuple[str, ...], set[str]]] = [
    (code.transactions_ended, ("src",), set()),
    (code.http_exceptions_raised, ("src",), set()),
    (
        code.queries_in_routes,
        ("src",),
        set(),
    ),
    (code.queries_anywhere, ("src/opendai/worker",), set()),
    (code.test_modules_imported, ("tests", "bench"), set()),
    (code.server_seen_by_client, ("src/opendai_client",), set()),
]
# Files over 300 lines, and why they may be.
LONG: dict[str, str] = {}
# A table of contents is read without scrolling.
LINES_OF_A_SCREEN = 50

BREAKS: list[tuple[Rule, Source]] = [
    (code.transactions_ended, Source("src/opendai/x.py", "def f(session):\n    session.commit()\n")),
    (code.transactions_ended, Source("src/opendai/x.py", "def f(connection):\n    connection.rollback()\n")),
    (code.http_exceptions_raised, Source("src/opendai/x.py", "raise HTTPException(404)\n")),
    (code.http_exceptions_raised, Source("src/opendai/x.py", "raise fastapi.HTTPException(404) from None\n")),
    (
        code.queries_in_routes,
        Source("src/x.py", "from sqlalchemy import select\n@router.get('/')\ndef f():\n    select(1)\n"),
    ),
    (
        code.queries_in_routes,
        Source("src/x.py", "@status_router.get('/')\nasync def f(session):\n    session.scalars(QUERY)\n"),
    ),
    (code.queries_anywhere, Source("src/x.py", "from sqlalchemy import text\nQUERY = text('SELECT 1')\n")),
    (code.server_seen_by_client, Source("src/x.py", "from opendai.errors import Problem\n")),
    (code.server_seen_by_client, Source("src/x.py", "import opendai.settings\n")),
    (code.too_long, Source("src/x.py", "\n" * (code.MOST_LINES + 1))),
    (code.test_modules_imported, Source("tests/x.py", "from tests.auth.test_attempts import lock\n")),
    (code.test_modules_imported, Source("tests/x.py", "from tests.auth import test_attempts\n")),
    (code.test_modules_imported, Source("tests/x.py", "import tests.auth.test_attempts\n")),
]


def name_of(value: object) -> str:
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("rule", "folders", "known"), RULES, ids=name_of)
def test_the_rule_is_kept_but_for_the_known_places(rule: Rule, folders: tuple[str, ...], known: set[str]):
    assert {place for source in read_sources(*folders) for place in rule(source)} == known


def test_no_file_is_long_without_a_reason():
    found = {place for source in read_sources("src", "tests", "bench") for place in code.too_long(source)}
    assert found == LONG.keys()
    assert all(LONG.values())


@pytest.mark.parametrize(("rule", "source"), BREAKS, ids=name_of)
def test_a_break_of_the_rule_is_found(rule: Rule, source: Source):
    assert len(list(rule(source))) == 1


def families() -> list[ModuleType]:
    """The modules of `api/` that make a family."""
    found = [
        importlib.import_module(f"{api.__name__}.{info.name}") for info in pkgutil.iter_modules(api.__path__)
    ]
    return [module for module in found if hasattr(module, "create")]


def table_of_contents(module: ModuleType) -> list[Router]:
    """The routers that `create` of a family lists, written out."""
    tree = ast.parse(inspect.getsource(module.create))
    (call,) = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and "Family" in ast.dump(node.func)
    ]
    listed = call.args[1]
    assert isinstance(listed, ast.List), f"{module.__name__} does not list its routers"
    return [eval(ast.unparse(entry), vars(module)) for entry in listed.elts]


@pytest.mark.parametrize("module", families(), ids=name_of)
def test_a_family_lists_its_operations_on_one_screen(module: ModuleType):
    routers = table_of_contents(module)
    family: Family = module.create(Settings())
    assert family.operations == [operation for router in routers for operation in router.operations]
    assert all(router.operations for router in routers)
    assert len(inspect.getsource(module.create).splitlines()) <= LINES_OF_A_SCREEN


def test_every_operation_of_the_server_is_of_a_router_that_a_family_lists(app: Server):
    listed = {
        id(operation)
        for module in families()
        for router in table_of_contents(module)
        for operation in router.operations
    }
    served = [operation for family in app.families for operation in family.operations]
    assert [operation.path for operation in served if id(operation) not in listed] == []


def test_every_router_is_listed_by_a_family():
    listed = {id(router) for module in families() for router in table_of_contents(module)}
    assert [name for name, router in routers() if id(router) not in listed] == []


def routers() -> Iterator[tuple[str, Router]]:
    for info in pkgutil.walk_packages(opendai.__path__, f"{opendai.__name__}."):
        if info.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, Router):
                yield f"{info.name}.{name}", value


def test_the_folders_of_the_rules_are_there():
    assert all((ROOT / folder).is_dir() for _, folders, _ in RULES for folder in folders)


def contract(name: str) -> dict[str, Any]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return next(entry for entry in found if entry["id"] == name)


def test_the_linter_keeps_every_family_apart():
    assert contract("families")["modules"] == [module.__name__ for module in families()]


def test_the_linter_forbids_the_client_every_module_but_those_of_the_engine():
    modules = {f"{opendai.__name__}.{info.name}" for info in pkgutil.iter_modules(opendai.__path__)}
    assert set(contract("client-alone")["forbidden_modules"]) == modules - {
        "opendai.engine",
        "opendai.errors",
    }
