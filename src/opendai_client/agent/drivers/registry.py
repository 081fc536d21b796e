"""Drivers by name: any installed package offers them as entry points of the group `opendai.drivers`."""

import inspect
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from opendai_client.agent.drivers.port import Driver

GROUP = "opendai.drivers"
MakeDriver = Callable[..., Driver]


class DriverProblem(Exception):  # noqa: N818 - it is told as a mistake of whoever named the driver
    """There is no such driver, or it does not import; the message says which and why."""


def driver_names() -> list[str]:
    """The names of the installed drivers. No driver is imported."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def load_driver(name: str) -> MakeDriver:
    """The class or function that makes the driver of this name; only that driver is imported."""
    found = tuple(entry_points(group=GROUP, name=name))
    if not found:
        known = ", ".join(driver_names()) or "none"
        raise DriverProblem(f"There is no driver '{name}'. The installed drivers are: {known}.")
    if len(found) > 1:
        raise DriverProblem(f"The driver '{name}' is installed by several packages: {_packages(found)}.")
    try:
        made: Any = found[0].load()
    except Exception as error:
        # A driver is foreign code, and its import may raise anything.
        reason = f"{type(error).__name__}: {error}"
        raise DriverProblem(f"The driver '{name}' of {_packages(found)} does not import: {reason}") from error
    if not callable(made):
        raise DriverProblem(f"The driver '{name}' of {_packages(found)} is no class and no function.")
    driver: MakeDriver = made
    return driver


def make_driver(name: str, options: Mapping[str, Any]) -> Driver:
    """The driver of this name, made with these options, which it must take."""
    driver = load_driver(name)
    try:
        inspect.signature(driver).bind(**options)
    except TypeError as error:
        raise DriverProblem(f"The driver '{name}' does not take these options: {error}.") from error
    return driver(**options)


def _packages(found: tuple[EntryPoint, ...]) -> str:
    return ", ".join(sorted(entry.dist.name if entry.dist else entry.value for entry in found))
