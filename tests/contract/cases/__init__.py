"""The cases, a module for each part of the published page. Importing this package registers them all."""

from tests.contract.cases import (
    agents,
    coverage,
    installation,
    models,
    parts_of_models,
    people,
    runs,
    screenshots,
    tasks,
    testcases,
    tokens,
)

__all__ = [
    "agents",
    "coverage",
    "installation",
    "models",
    "parts_of_models",
    "people",
    "runs",
    "screenshots",
    "tasks",
    "testcases",
    "tokens",
]
