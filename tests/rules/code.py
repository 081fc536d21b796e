"""Rules that a linter of imports cannot hold. Each takes a file and names the places that break it."""

import ast
from collections.abc import Callable, Iterator

from tests.rules.sources import Source, functions_of, imports_of

Rule = Callable[[Source], Iterator[str]]

MOST_LINES = 300
_ON_A_SESSION = frozenset(
    {"add", "delete", "execute", "flush", "get", "get_one", "merge", "scalar", "scalars", "refresh"}
)
_METHODS = frozenset({"delete", "get", "head", "patch", "post", "put", "api_route"})


def transactions_ended(source: Source) -> Iterator[str]:
    """Only the database ends a transaction: one request, one transaction."""
    if source.path.startswith("src/opendai/database/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback"}:
            yield f"{source.path}: {ast.unparse(node)}"


def http_exceptions_raised(source: Source) -> Iterator[str]:
    """A refusal is a class of `errors.py`; each family words it."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Raise) and "HTTPException" in map(_name_of, ast.walk(node)):
            yield f"{source.path}: {ast.unparse(node)}"


def queries_in_routes(source: Source) -> Iterator[str]:
    """A route asks a repository, a report or a function of its room."""
    for function in functions_of(source):
        if any(map(_is_route, function.decorator_list)) and _has_query(source, function):
            yield f"{source.path}: {function.name}"


def queries_anywhere(source: Source) -> Iterator[str]:
    """A job asks the room that keeps the rows."""
    if _has_query(source, source.tree):
        yield source.path


def server_seen_by_client(source: Source) -> Iterator[str]:
    """The client sees the engine; `opendai.errors`, which the engine sees, is no way around."""
    for origin, _ in imports_of(source):
        if origin.split(".")[0] == "opendai" and origin.split(".")[1:2] not in (["engine"], ["__version__"]):
            yield f"{source.path}: {origin}"


def too_long(source: Source) -> Iterator[str]:
    """A file that outgrows the limit becomes a package."""
    if source.text.count("\n") > MOST_LINES:
        yield source.path


def test_modules_imported(source: Source) -> Iterator[str]:
    """A factory that several test modules need is in a module that is no test."""
    for origin, _ in imports_of(source):
        parts = origin.split(".")
        if parts[0] == "tests" and any(part.startswith("test_") for part in parts[1:]):
            yield f"{source.path}: {origin}"


def _is_route(decorator: ast.expr) -> bool:
    if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
        return False
    return decorator.func.attr in _METHODS and _name_of(decorator.func.value).endswith("router")


def _has_query(source: Source, node: ast.AST) -> bool:
    made_by_sqlalchemy = {name for origin, name in imports_of(source) if origin.startswith("sqlalchemy.")}
    # A session or its type is handed on by many; what builds or runs a statement is meant here.
    builders = made_by_sqlalchemy & {"select", "insert", "update", "delete", "text", "exists", "union_all"}
    calls = [call.func for call in ast.walk(node) if isinstance(call, ast.Call)]
    return any(_name_of(call) in builders for call in calls if isinstance(call, ast.Name)) or any(
        call.attr in _ON_A_SESSION and _name_of(call.value) == "session"
        for call in calls
        if isinstance(call, ast.Attribute)
    )


def _name_of(node: ast.AST) -> str:
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(_, name):
            return name
    return ""
