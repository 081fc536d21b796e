"""The parameters of requests by browsers, from a query or a form. Each may occur once."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

# The databases cannot store every other character, and no client sends one on purpose.
_PLAIN = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,4096}")
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,8192}")
_TOKENS = {"id_token_hint"}


@dataclass(frozen=True, slots=True)
class Parameters:
    """An empty parameter counts as missing, and an unknown one is ignored (RFC 6749, 3.1)."""

    values: dict[str, str]
    refused: frozenset[str] = frozenset()
    """The names of those that are repeated, too long or contain control characters."""

    def find(self, name: str) -> str | None:
        return self.values.get(name)


def read_parameters(pairs: Iterable[tuple[str, Any]], names: Collection[str]) -> Parameters:
    """The parameters with these names. A value that is not text is a file in a form."""
    values: dict[str, str] = {}
    refused: set[str] = set()
    for name, value in pairs:
        if name not in names or value == "":
            continue
        shape = _PLAIN_TOKEN if name in _TOKENS else _PLAIN
        if name in values or not isinstance(value, str) or not shape.fullmatch(value):
            refused.add(name)
        else:
            values[name] = value
    return Parameters(
        {name: value for name, value in values.items() if name not in refused}, frozenset(refused)
    )
