"""Drivers are found by name among the installed packages."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opendai_client.agent.drivers.registry import DriverProblem, driver_names, load_driver, make_driver
from opendai_client.agent.drivers.simulate import SimulateDriver

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a package with one module that offers drivers, as pip would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(package: str, code: str, **drivers: str) -> None:
        (tmp_path / f"{package}.py").write_text(code, encoding="utf-8")
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8"
        )
        lines = [f"{name} = {package}:{what}" for name, what in drivers.items()]
        (folder / "entry_points.txt").write_text("\n".join(["[opendai.drivers]", *lines]), encoding="utf-8")

    return install


def test_the_simulation_is_installed_with_us() -> None:
    assert "simulate" in driver_names()
    assert load_driver("simulate") is SimulateDriver


def test_a_driver_of_another_package_is_found_by_its_name(install: Install) -> None:
    install(
        "shop_robot",
        "class Robot:\n    def __init__(self, speed=1):\n        self.speed = speed\n",
        robot="Robot",
    )
    assert driver_names() == ["robot", "simulate"]
    assert "shop_robot" not in sys.modules
    assert vars(make_driver("robot", {"speed": 3})) == {"speed": 3}


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DriverProblem, match=r"no driver 'selenium'. The installed drivers are: simulate\."):
        load_driver("selenium")


def test_a_driver_that_does_not_import_says_why(install: Install) -> None:
    install("broken_robot", "import a_module_that_is_not_there\n", broken="Robot")
    with pytest.raises(DriverProblem, match="'broken' of broken_robot does not import: ModuleNotFoundError"):
        load_driver("broken")
    assert load_driver("simulate") is SimulateDriver


def test_two_packages_with_one_name_are_refused(install: Install) -> None:
    install("robot_one", "Robot = object\n", robot="Robot")
    install("robot_two", "Robot = object\n", robot="Robot")
    with pytest.raises(DriverProblem, match="several packages: robot_one, robot_two"):
        load_driver("robot")


def test_an_option_that_a_driver_does_not_take_is_refused(install: Install) -> None:
    install("plain_robot", "class Robot:\n    pass\n", plain="Robot")
    with pytest.raises(DriverProblem, match="'plain' does not take these options"):
        make_driver("plain", {"realtime": True})
