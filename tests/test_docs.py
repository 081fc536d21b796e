"""The pages keep their promises: true defaults of every setting, records of one page, links that lead somewhere."""

import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from opendai.settings import Settings
from opendai.storage import open_store
from opendai_client.agent.cli import app as agent_command

ROOT = Path(__file__).parents[1]
RECORDS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").rglob("*.md")])
LINES_OF_A_PAGE = 60
PROCESSORS = 3

_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@cache
def section(title: str) -> str:
    """The text under a heading of the settings' page, up to the next one."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows_under(title: str) -> dict[str, list[str]]:
    """The tables under a heading: what stands in code in the first cell, and the other cells."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section(title).splitlines()
        if line.startswith("| `")
    ]
    return {first.strip("`"): others for first, *others in cells}


def variable(field: str) -> str:
    return f"OPENDAI_{field.upper()}"


def shown_default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    match default:
        case None:
            return "none"
        case "" | ():
            return "empty"
    if field.default_factory is not None:
        return f"{default // PROCESSORS} for each processor"
    assert not isinstance(default, SecretStr), "a secret has no default"
    return f"`{default}`"


def shown_limits(field: FieldInfo) -> list[str]:
    """The choices and bounds of a field, as they are to be found in its cell."""
    bounds: list[Any] = [
        getattr(rule, name)
        for rule in field.metadata
        for name in ("ge", "le", "min_length", "max_length")
        if getattr(rule, name, None) is not None
    ]
    choices = [f"`{choice}`" for choice in get_args(field.annotation) if isinstance(choice, str)]
    return [f"{bound:,}" for bound in bounds] + choices


def test_every_setting_is_on_the_page_and_nothing_else():
    assert set(rows_under("The server")) == {variable(name) for name in Settings.model_fields}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_has_its_true_default_and_limits(name, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: PROCESSORS)
    field = Settings.model_fields[name]
    meaning, default, limits = rows_under("The server")[variable(name)]
    assert meaning
    assert default == shown_default(field)
    missing = [limit for limit in shown_limits(field) if limit not in limits]
    assert not missing


def test_the_page_names_no_variable_that_nobody_reads():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    known = {*rows_under("The server"), *agent_variables()}
    assert set(re.findall(r"OPENDAI_[A-Z_]*[A-Z]", page)) == known


def agent_variables() -> set[str]:
    return {
        str(parameter.envvar)
        for parameter in typer.main.get_command(agent_command).params
        if parameter.envvar
    }


def test_every_variable_of_the_agent_is_on_the_page_and_nothing_else():
    assert set(rows_under("The agent")) == agent_variables()


def test_every_option_of_the_storage_url_is_on_the_page_and_nothing_else():
    with pytest.raises(ValueError, match="is no option of a storage URL") as refusal:
        open_store("s3://bucket?nothing=1", public_url="http://testserver", signing_key=b"0" * 32)
    known = str(refusal.value).partition("; there are ")[2].rstrip(".").split(", ")
    forms = {form for form in rows_under("The storage URL") if "/" in form}
    assert set(rows_under("The storage URL")) - forms == set(known)


def test_there_are_records():
    assert [record.name[:4] for record in RECORDS] == [f"{number:04}" for number in range(len(RECORDS))]
    assert len(RECORDS) > 1


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_a_record_fits_on_one_page(record):
    lines = record.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LINES_OF_A_PAGE
    assert lines[0].startswith(f"# {record.name[:4]}: ")
    assert [line for line in lines if line.startswith("## ")] == [
        "## Context",
        "## Decision",
        "## Consequences",
    ]
    assert lines[2].startswith("Status: ")


def test_the_index_lists_every_record():
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert {record.name for record in RECORDS} <= set(_LINK.findall(index))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    assert dead_links(page) == []


def test_a_dead_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A title\n[here](#a-title) [gone](#gone) [lost](lost.md) [far](https://example.org/x) `[no](no.md)`\n"
        "```\n[no](no.md)\n# no title\n```\n[out](page.md#no-title)\n",
        encoding="utf-8",
    )
    assert dead_links(page) == ["#gone", "lost.md", "page.md#no-title"]


def dead_links(page: Path) -> list[str]:
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    links = [link for link in _LINK.findall(text) if not re.match(r"[a-z]+:", link)]
    return [link for link in links if not leads_somewhere(page, link)]


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """The headings as addresses: small letters, digits and hyphens for spaces."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_path_of_the_map_exists():
    assert lost_paths((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")) == []


def test_the_layers_of_the_map_are_those_of_the_linter():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["id"] == "layers"
    )
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert " → ".join(layers) == " ".join(page.split("```")[1].split())


def test_a_lost_path_is_found():
    page = "`app.py` `resources/` `make lint` `tests/nothing/` `api/nobody.py` `/ai` `GET /ai/agents`"
    assert lost_paths(page) == ["tests/nothing/", "api/nobody.py"]


def lost_paths(page: str) -> list[str]:
    """The paths in code that are neither below the root nor below the server's package."""
    page = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    paths = [
        path for path in re.findall(r"`([^`\s]+)`", page) if re.fullmatch(r"\w[\w./-]*(?:/|\.\w{2,5})", path)
    ]
    places = (ROOT, ROOT / "src" / "opendai")
    return [path for path in paths if not any((place / path).exists() for place in places)]
