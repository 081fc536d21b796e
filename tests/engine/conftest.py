"""The two sample models that the server ships."""

from pathlib import Path

import pytest

from opendai import engine

SAMPLES = Path(__file__).parents[2] / "src" / "opendai" / "demo"


@pytest.fixture(scope="session")
def petclinic_text() -> str:
    return (SAMPLES / "petclinic.modeljson.json").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def petclinic(petclinic_text: str) -> engine.Model:
    return engine.parse_model(petclinic_text)


@pytest.fixture(scope="session")
def webstore() -> engine.Model:
    return engine.parse_model((SAMPLES / "webstore.modeljson.json").read_text(encoding="utf-8"))
