"""The parameters of the requests that browsers bring: a query or a form, in which each counts once."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

# Neither database can keep all of the rest, and no client means it.
_PLAIN = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,4096}")
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,8192}")
_TOKENS = {"id_token_hint"}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is empty counts as not there, and what nobody asked for is not looked at (RFC 6749, 3.1)."""

    values: dict[str, str]
    refused: frozenset[str] = frozenset()
    """The names of those given more than once, too long or with control characters."""

    def find(self, name: str) -> str | None:
        return self.values.get(name)


def read_parameters(pairs: Iterable[tuple[str, Any]], names: Collection[str]) -> Parameters:
    """The parameters of these names among what was sent; a value that is no text is a file of a form."""
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
