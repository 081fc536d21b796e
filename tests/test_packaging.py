"""A stranger gets a checkout that names no place of ours, locks that can be checked, and bounded ranges."""

import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

REPOSITORY = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-runtime.lock")

# The first releases without known holes, or the first that have a limit which the server relies on.
FLOORS = {
    "starlette": "1.10",
    "fastapi": "0.165",
    "python-multipart": "0.0.31",
    "msgpack": "1.2.1",
    "pillow": "12.3.0",
    "httptools": "0.8",
    "joserfc": "1.8",
    "cryptography": "50",
}
# Not needed, and fit only from this release on wherever something brings them in.
FLOORS_IF_INSTALLED = {"pyjwt": "2.13.0", "authlib": "1.6.5"}
# They verify forged tokens, leak keys by time, or have no maintainer.
BANNED = ("python-jose", "ecdsa", "passlib")

# Home folders, wherever they are, and this checkout's own. A path of a route or of an address is no match.
_PERSONAL_PATH = re.compile(
    r"(?<![\w.:/])/(?:home|Users)/[a-z][\w.-]*/"
    r"|(?<![\w.:/])/root/[\w.-]+"
    r"|\b[A-Z]:\\+Users\\+\w"
    rf"|{re.escape(str(REPOSITORY))}/",
    re.ASCII,
)
_ADDRESS = re.compile(r"\b(?:https?|ssh|git)://(?:[^/\s@]*@)?([\w.-]+)", re.ASCII | re.IGNORECASE)
_HOST_OF_REGISTRY = re.compile(
    r"(?:^|[.-])(?:pypi|pythonhosted|npmjs|yarnpkg|artifactory|nexus|jfrog|registry|packagist|rubygems|proxy)"
    r"(?:$|[.-])",
    re.IGNORECASE,
)
_OPTION_OF_INDEX = re.compile(
    r"(?:--(?:extra-)?index-url|--find-links|--trusted-host|(?:PIP|UV)_\w*INDEX\w*)[ =]\s*\S", re.ASCII
)


def _requirements(lock: str) -> list[str]:
    """One text for each package of a lock, its hashes included, without the comments."""
    lines = (REPOSITORY / lock).read_text(encoding="utf-8").splitlines()
    kept = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    return re.split(r"\n(?=\S)", kept.replace("\\\n", "").strip())


def _tracked() -> dict[str, str]:
    """The text files that git knows, by name."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    texts = {}
    for name in listed.stdout.decode().rstrip("\0").split("\0"):
        content = (REPOSITORY / name).read_bytes() if (REPOSITORY / name).is_file() else b"\0"
        if b"\0" not in content:
            texts[name] = content.decode()
    return texts


def test_help_lists_every_target() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    targets = set(re.findall(r"^([a-z]+):(?!=)", makefile, re.MULTILINE))
    # By its name alone `make` lists them, in the words of the Makefile.
    listed = subprocess.run(["make", "-s"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    explained = {line.split(maxsplit=1)[0] for line in listed.splitlines() if len(line.split()) > 1}
    assert explained == targets == set(phony[1].split())
    assert {"setup", "demo", "serve", "test", "lint", "bench", "lock", "format", "clean"} <= targets


def test_runtime_dependencies_have_a_floor_and_a_ceiling() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    requirements = [Requirement(text) for text in project["project"]["dependencies"]]
    assert requirements
    for requirement in requirements:
        operators = {clause.operator for clause in requirement.specifier}
        assert operators == {">=", "<"}, f"{requirement} is not bounded on both sides"
        assert requirement.url is None


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_hashes_and_names_no_place(lock: str) -> None:
    requirements = _requirements(lock)
    assert len(requirements) > 20
    for requirement in requirements:
        assert re.match(r"[a-z0-9][a-z0-9-]*==\S+ ", requirement), f"{requirement[:80]} is not pinned"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", requirement), f"{requirement[:80]} has no hash"
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert not _OPTION_OF_INDEX.search(text)
    assert not re.search(r"^-", text, re.MULTILINE), "a lock has packages and no options of pip"


def test_locks_agree_and_fit_the_ranges() -> None:
    pinned = [_pins(lock) for lock in LOCKS]
    assert pinned[1].items() <= pinned[0].items()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    for requirement in map(Requirement, project["project"]["dependencies"]):
        assert requirement.specifier.contains(pinned[1][_normal(requirement.name)]), (
            f"{requirement}: make lock"
        )
    for requirement in map(Requirement, project["dependency-groups"]["dev"]):
        assert requirement.specifier.contains(pinned[0][_normal(requirement.name)]), (
            f"{requirement}: make lock"
        )


def _pins(lock: str) -> dict[str, str]:
    pairs = (re.match(r"(\S+)==(\S+)", requirement) for requirement in _requirements(lock))
    return {pair[1]: pair[2] for pair in pairs if pair}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", FLOORS)
def test_installed_release_is_not_below_its_floor(name: str) -> None:
    assert Version(version(name)) >= Version(FLOORS[name])


@pytest.mark.parametrize("name", FLOORS_IF_INSTALLED)
def test_optional_release_is_not_below_its_floor(name: str) -> None:
    try:
        installed = Version(version(name))
    except PackageNotFoundError:
        installed = None
    assert installed is None or installed >= Version(FLOORS_IF_INSTALLED[name])


@pytest.mark.parametrize("name", BANNED)
def test_banned_package_is_neither_locked_nor_installed(name: str) -> None:
    for lock in LOCKS:
        assert name not in _pins(lock)
    with pytest.raises(PackageNotFoundError):
        version(name)


def test_no_tracked_file_names_a_place_of_ours() -> None:
    texts = _tracked()
    assert {"Makefile", "pyproject.toml", *LOCKS} <= texts.keys()
    # This file holds the patterns and what they are tried on.
    texts.pop(Path(__file__).relative_to(REPOSITORY).as_posix(), None)
    found = [f"{name}: {place}" for name, text in texts.items() for place in _places(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "see /home/alice/project/notes.txt",
        'path = "/Users/bob/code"',
        "cd /root/project && make",
        f"open {REPOSITORY}/Makefile",
        r"C:\\Users\\carol\\opendai",
        "https://packages.pypi.example/simple",
        "https://user:password@nexus.example.com/repository",
        "http://artifactory.internal:8081/x",
        "pip install --index-url https://mirror.example/simple opendai",
        "PIP_INDEX_URL=mirror make setup",
    ],
)
def test_places_of_ours_are_recognised(text: str) -> None:
    assert _places(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:8000/root/1",
        "#!/usr/bin/env bash",
        "uv is on PyPI",
        "/run/secrets/x",
        "file:///srv/opendai",
    ],
)
def test_other_places_are_left_alone(text: str) -> None:
    assert not _places(text)


def _places(text: str) -> list[str]:
    personal = [found[0] for found in _PERSONAL_PATH.finditer(text)]
    hosts = [found[0] for found in _ADDRESS.finditer(text) if _HOST_OF_REGISTRY.search(found[1])]
    return personal + hosts + [found[0] for found in _OPTION_OF_INDEX.finditer(text)]
