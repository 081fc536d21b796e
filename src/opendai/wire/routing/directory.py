"""Operations found by method and address."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.convertors import Convertor
from starlette.routing import compile_path

from opendai.wire.routing.operations import Operation


@dataclass(frozen=True, slots=True)
class Found:
    """The content of an address: an operation with the parameters of its path, or only the methods that it takes."""

    operation: Operation | None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    methods: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Pattern:
    regex: re.Pattern[str]
    convertors: Mapping[str, Convertor[Any]]
    operations: dict[str, Operation]


class Directory:
    """The operations of a family. HEAD finds what GET does."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._exact: dict[str, dict[str, Operation]] = defaultdict(dict)
        self._patterns: dict[str, list[_Pattern]] = defaultdict(list)
        known: dict[str, _Pattern] = {}
        for operation in operations:
            if "{" not in operation.path:
                _add(self._exact[operation.path], operation)
                continue
            if operation.path not in known:
                regex, _, convertors = compile_path(operation.path)
                known[operation.path] = _Pattern(regex, convertors, {})
                self._patterns[_first_part(operation.path)].append(known[operation.path])
            _add(known[operation.path].operations, operation)

    def find(self, method: str, path: str) -> Found | None:
        """The content of a path, or None. A fixed path goes before one with parameters."""
        here = self._exact.get(path, {})
        if method in here:
            return Found(here[method])
        methods = set(here)
        for pattern in self._near(path):
            # In full: `$` would let a line end at the end of the path by.
            match = pattern.regex.fullmatch(path)
            if match is None:
                continue
            if method in pattern.operations:
                convertors = pattern.convertors
                parameters = {
                    name: convertors[name].convert(text) for name, text in match.groupdict().items()
                }
                return Found(pattern.operations[method], parameters)
            methods |= set(pattern.operations)
        return Found(None, methods=frozenset(methods)) if methods else None

    def _near(self, path: str) -> Iterable[_Pattern]:
        """The patterns that begin as the path does, and those that begin with a parameter."""
        yield from self._patterns.get(_first_part(path), ())
        yield from self._patterns.get("", ())


def _add(here: dict[str, Operation], operation: Operation) -> None:
    for method in operation.methods or ():
        here.setdefault(method, operation)
        if method == "GET":
            here.setdefault("HEAD", operation)


def _first_part(path: str) -> str:
    """The first part of a path; nothing for one that begins with a parameter."""
    part = path[1:].partition("/")[0]
    return "" if "{" in part else part
