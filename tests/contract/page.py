"""docs/compatibility.md, made from the contract, the deviations and the application.

`PYTHONPATH=src python -m tests.contract.page` writes it; a test fails when what is written is out of date.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from opendai.api.server import Server
from opendai.app import create_app
from opendai.installation import install
from opendai.settings import Settings
from tests.contract import deviations
from tests.contract.answers import Served, served
from tests.contract.habits import HABITS
from tests.contract.published import Operation, operations

FILE = Path(__file__).parents[2] / "docs" / "compatibility.md"

_INTRODUCTION = """# Compatibility with DAI 5.2

opendai serves all {count} operations that the page of DAI 5.2 publishes under `/ai`, with their parameters, media
types, status codes and fields. This page lists the differences, with their reasons: where the published page is
silent, and where real clients differ from it. It is made from the contract, the tests' list of deviations and the
application
(`python -m tests.contract.page`); a test fails when it is out of date.
"""

_OPERATIONS = """## Operations

Every one is served. "Further" lists the statuses beyond the published ones.
"""

_EVERYWHERE = """## Everywhere

- A refusal is `{"message": "…"}`; bad input adds `"errors": [{"field": "…", "problem": "…"}]` and is 400, never 422.
  The answer does not echo the input.
- 401 without a valid token, 403 if the caller may not use the operation at all, 404 for a thing that does not exist
  and, in the same words, for a thing of other groups. 413 for a body over the limit.
- 503 with `Retry-After` while the database or the store does not answer. 500 is a failure of the server and names the
  request's id.
- Fields without a value are null, never left out. Unknown fields of a body are ignored.
- Times carry their offset in figures: `2026-11-22T09:30:00.120000+00:00`.
"""

_FAMILIES = {
    "/execution_service/api/v1": "Executions, as DAI 6.5 to 7.5 publish them. Bad input is 422 in FastAPI's words, "
    'other refusals are `{"detail": "…"}`.',
    "/auth": "Tokens, as Keycloak, RFC 6749 and OpenID Connect have them; [tokens.md](tokens.md) lists the "
    "grants and the lifetime of a login. People log in by a page, with the authorization code flow and PKCE "
    "(S256).",
    "/agent_service/api/v1": "The protocol of our agents, described in [agents.md](agents.md); DAI publishes none.",
    "/api/rest/latest": "AI servers, as Squash TM publishes them; [ai-servers.md](ai-servers.md) describes them. "
    'A rule that is broken is 412 `{"fieldValidationErrors": […], "message": "…"}`, '
    'other refusals are `{"message": "…"}`.',
    "/api_clients": "The programs that may ask for tokens, which DAI 6.5 manages in its pages: for people who are "
    "administrators. Refusals are worded as those under `/ai`. The slash at the end may be left out.",
    "/api/v2": "The token endpoint of the public API v2. Bad input is 422 in FastAPI's words, other refusals are "
    '`{"type": "…", "title": "…", "status": 401, "detail": "…"}`.',
}


def render(app: Server) -> str:
    """The page as text."""
    published, offered = operations(), served(app, "/ai")
    parts = [
        _INTRODUCTION.format(count=len(published)),
        _OPERATIONS,
        _table(
            ("Operation", "Served with", "Further", "Deviation, and why"),
            (_row(operation, offered[name]) for name, operation in published.items()),
        ),
        _EVERYWHERE,
        "## Published fields that may be null\n",
        _table(("Field", "Null when"), _pairs(deviations.NULLS.items())),
        "## Published fields of bodies that are not read\n",
        _table(("Field", "Why"), _unread()),
        "## Habits of clients\n\nThe server accepts clients that differ from the page. Each row is a test.\n",
        _table(("A client", "The server"), ((habit.client, habit.server) for habit in HABITS.values())),
        "## Operations of ours under `/ai`\n",
        _table(("Operation", "Why"), _pairs(deviations.EXTENSIONS.items())),
        "## Other families\n",
        *(_family(app, prefix, about) for prefix, about in _FAMILIES.items()),
    ]
    return "\n".join(parts)


def _row(operation: Operation, ours: Served) -> tuple[str, ...]:
    beyond = sorted(ours.statuses - operation.statuses)
    return (
        f"`{operation.name}`",
        str(operation.success),
        ", ".join(str(status) for status in beyond),
        " ".join(f"{text[0].upper()}{text[1:]}." for text in _deviations(operation)),
    )


def _deviations(operation: Operation) -> Iterator[str]:
    for (name, status), why in deviations.NOT_ANSWERED.items():
        if name == operation.name:
            yield f"No {status}: {why}"
    if operation.name in deviations.SHAPES:
        yield f"Answers {deviations.SHAPES[operation.name][1]}"
    if operation.name in deviations.REMARKS:
        yield deviations.REMARKS[operation.name]


def _family(app: Server, prefix: str, about: str) -> str:
    # A cell is one line, and a description may have several.
    rows = (
        (f"`{name}`", " ".join(ours.page["description"].split()))
        for name, ours in served(app, prefix).items()
    )
    return f"### `{prefix}`\n\n{about}\n\n" + _table(("Operation", "Purpose"), rows)


def _unread() -> Iterator[tuple[str, str]]:
    yield from _pairs(deviations.UNREAD.items())
    for (operation, field), why in deviations.UNREAD_HERE.items():
        yield f"`{field}` at `{operation}`", why


def _pairs(entries: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((f"`{name}`", why) for name, why in entries)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), public_url="http://localhost:8000")
        install(settings)
        FILE.write_text(render(create_app(settings)), encoding="utf-8")


if __name__ == "__main__":
    main()
