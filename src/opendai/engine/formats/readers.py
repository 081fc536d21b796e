"""Typed reading of a JSON document that nobody vouches for, with every fault kept under its place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opendai.errors import Fault

LARGEST_INTEGER = 2**53
LONGEST_NAME = 1_000
MOST_FAULTS = 20

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(slots=True)
class Faults:
    """The faults found so far; only the first twenty are kept, the rest is counted."""

    found: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, place: str, problem: str) -> None:
        self.count += 1
        if len(self.found) < MOST_FAULTS:
            self.found.append(Fault(place, problem))


# Not frozen: a document has thousands of readers, and to make a frozen one takes three times as long.
@dataclass(slots=True)
class Reader:
    """One object of the document; `place` is where it stands, such as `modeljson.elements[3]`.

    Each method reads one key. Where the value is absent or null the default is the answer; where it has the
    wrong type a fault is noted and the default is the answer too, so that reading goes on and finds the
    other faults.
    """

    values: Mapping[str, Any]
    place: str
    faults: Faults

    def fault(self, key: str, problem: str) -> None:
        self.faults.add(f"{self.place}.{key}", problem)

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            self.fault(key, f"{_kind(value)} stands where text should be")
        elif _UNSTORABLE.search(value):
            self.fault(key, "the text holds a NUL or half of a surrogate pair")
        else:
            return value
        return default

    def name(self, key: str) -> str:
        if self.values.get(key) is None or self.values[key] == "":
            self.fault(key, "a name is missing")
        value = self.text(key)
        if len(value) <= LONGEST_NAME:
            return value
        self.fault(key, f"the name is longer than {LONGEST_NAME} characters")
        return ""

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.values.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(key, f"{_kind(value)} stands where true or false should be")
            return default
        return value

    def integer(self, key: str) -> int | None:
        """A whole number from 0 to 2^53, the largest that every JSON implementation keeps."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(key, f"{_kind(value)} stands where a whole number should be")
        elif not 0 <= value <= LARGEST_INTEGER:
            self.fault(key, "the number is negative or larger than 2^53")
        else:
            return value
        return None

    def amount(self, key: str, *, default: float, largest: float) -> float:
        value = self.values.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(key, f"{_kind(value)} stands where a number should be")
        elif not 0 <= value <= largest:
            self.fault(key, f"the number is negative or larger than {largest:g}")
        else:
            return value
        return default

    def objects(self, key: str) -> list["Reader"]:
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(key, f"{_kind(value)} stands where a list should be")
            return []
        readers = []
        for index, item in enumerate(value):
            if isinstance(item, dict):
                readers.append(Reader(item, f"{self.place}.{key}[{index}]", self.faults))
            else:
                self.faults.add(
                    f"{self.place}.{key}[{index}]", f"{_kind(item)} stands where an object should be"
                )
        return readers


def shown(name: str) -> str:
    """A name as a message quotes it: never longer than a line."""
    return f'"{name}"' if len(name) <= 80 else f'"{name[:77]}..."'


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "an object")
