"""`python -m bench.paging`: what pages of runs cost with a million runs, as a multiple of what they cost with few.

Ends with 1 when a median is over the limit. Both histories are asked in turn, by the same server code.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import select, text
from tests.services import PostgresServer

from bench.history import make_history
from opendai import logs, tables
from opendai.api.server import Server
from opendai.app import create_app
from opendai.auth.logins import begin_login, token_for_user
from opendai.database import Database
from opendai.installation import install
from opendai.settings import Settings

LIMIT = 1.5
FEW, MANY = 10_000, 1_000_000

FILTERS = {
    "all runs": {},
    "id": {"id": "5000"},
    "testcase": {"testcase": "Case 3"},
    "teststatus PASSED": {"teststatus": "PASSED"},
    "teststatus FAILED": {"teststatus": "FAILED"},
    "teststatus INCOMPLETE": {"teststatus": "INCOMPLETE"},
    "modelname": {"modelname": "Model 2"},
    "task_instance_id": {"task_instance_id": "00000000-0000-4000-8000-000000001000"},
    "step": {"step": "3"},
    "modeluuid": {"modeluuid": "00000000-0000-4000-9000-000000000001"},
}
ORDERS = ("ascending", "descending", "newest 20")


@dataclass(frozen=True, slots=True)
class Question:
    """One kind of page: who asks, for what, and from which end."""

    person: str
    filters: str
    order: str


@dataclass(frozen=True, slots=True)
class Side:
    """A server with one of the histories, and the tokens of those who ask."""

    app: Server
    bearers: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds of each round, with few runs and with many, and the total that many answered."""

    question: Question
    few: list[float]
    many: list[float]
    total: int

    @property
    def ratio(self) -> float:
        return statistics.median(self.many) / statistics.median(self.few)


def main() -> int:
    """The exit code: 0 when every ratio is within the limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.paging", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=41, help="pairs of requests that count")
    parser.add_argument("--runs", type=int, default=MANY, help="how many runs are many")
    arguments = parser.parse_args()
    console = Console(width=110 if not sys.stdout.isatty() else None)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opendai-bench-")))
        progress = stack.enter_context(Progress(console=console, transient=True))
        task = progress.add_task("Making runs", total=None)
        urls = stack.enter_context(_databases(arguments.database, folder))
        started = time.monotonic()
        few = _side(urls[0], folder / "few", FEW)
        many = _side(urls[1], folder / "many", arguments.runs)
        console.print(f"The runs were made in {time.monotonic() - started:.0f} s.")
        questions = [
            Question(person, filters, order)
            for person in few.bearers
            for filters in FILTERS
            for order in ORDERS
        ]
        progress.update(task, description="Asking", total=len(questions))
        results = asyncio.run(
            _measure(few, many, questions, arguments.rounds, lambda: progress.advance(task))
        )
    console.print(_table(results, f"{arguments.database}, {FEW:,} and {arguments.runs:,} runs"))
    return 0 if all(result.ratio <= LIMIT for result in results) else 1


@contextmanager
def _databases(kind: str, folder: Path) -> Iterator[list[str]]:
    if kind == "sqlite":
        yield [f"sqlite:///{folder / name}.db" for name in ("few", "many")]
        return
    with PostgresServer() as server:
        yield [server.create_database(name) for name in ("few", "many")]


def _side(url: str, folder: Path, runs: int) -> Side:
    settings = Settings(
        database_url=url,
        data_dir=folder,
        public_url="http://bench",
        sqlite_synchronous="NORMAL",
        database_timeout_seconds=600,
        log_level="ERROR",
        log_format="json",
    )
    logs.configure(settings)
    install(settings)
    app = create_app(settings)
    database: Database = app.state.parts.database
    with database.writing() as session:
        make_history(session.connection(), runs)
    if not database.is_sqlite:
        # PostgreSQL does this by itself within a minute. SQLite is told nothing, as nobody would.
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return Side(app, _bearers(app))


def _bearers(app: Server) -> dict[str, dict[str, str]]:
    """An administrator, and a user of four groups, one of which has half of all runs."""
    database: Database = app.state.parts.database
    bearers = {}
    with database.writing() as session:
        group = tables.Group
        groups = session.scalars(select(group).where(group.name.like("Group %")).order_by(group.id)).all()
        for person, role in (("administrator", "Admin"), ("user of 4 groups", "User")):
            user = tables.User(username=person, password_hash="", role=role)
            if role == "User":
                user.groups = [groups[index] for index in (0, 2, 5, 8)]
            session.add(user)
            session.flush()
            login = begin_login(session, user, lifetime=86_400)
            assert login is not None
            token, _ = token_for_user(app.state.parts.tokens, user, login, lifetime=86_400)
            bearers[person] = {"Authorization": f"Bearer {token}"}
    return bearers


async def _measure(
    few: Side, many: Side, questions: list[Question], rounds: int, advance: Any
) -> list[Result]:
    # The servers' own background work is not started: it is not what is measured.
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(transport=httpx.ASGITransport(side.app), base_url="http://bench")
            )
            for side in (few, many)
        ]
        results = []
        for question in questions:
            asked = [
                await _request(client, side, question)
                for client, side in zip(clients, (few, many), strict=True)
            ]
            times: tuple[list[float], list[float]] = ([], [])
            # The first rounds warm up: PostgreSQL plans a statement anew until it has seen it a few times.
            for number in range(-8, rounds):
                for index, client in enumerate(clients):
                    headers, params, _ = asked[index]
                    started = time.perf_counter()
                    response = await client.get("/ai/runs", headers=headers, params=params)
                    took = 1000 * (time.perf_counter() - started)
                    response.raise_for_status()
                    if number >= 0:
                        times[index].append(took)
            results.append(Result(question, *times, asked[1][2]))
            advance()
    return results


async def _request(
    client: httpx.AsyncClient, side: Side, question: Question
) -> tuple[dict[str, str], dict[str, str], int]:
    """Headers and query, and how many runs match; both histories must fill the page alike to be compared."""
    headers = side.bearers[question.person]
    params = {**FILTERS[question.filters], "limit": "50"}
    total = (
        (await client.get("/ai/runs", headers=headers, params=params))
        .raise_for_status()
        .json()["total_count"]
    )
    if question.order == "descending":
        params["sort"] = "-id"
    if question.order == "newest 20":
        params["offset"] = str(total - 20)
    body = (await client.get("/ai/runs", headers=headers, params=params)).raise_for_status().json()
    expected = min(total, 20 if question.order == "newest 20" else 50)
    if len(body["items"]) != expected:
        raise RuntimeError(f"{question} answered {len(body['items'])} runs and not {expected}.")
    return headers, params, total


def _table(results: list[Result], title: str) -> Table:
    """A line for each filter, with the three ways of reading its pages beside each other."""
    table = Table(
        title=f"GET /ai/runs?limit=50, {title}",
        caption="Milliseconds with many runs, and how many times as long as with few. Medians; less is better.",
    )
    for heading in ("asked by", "filter", "matches", *ORDERS, ""):
        table.add_column(
            heading, justify="right" if heading in {"matches", *ORDERS} else "left", no_wrap=True
        )
    for first in range(0, len(results), len(ORDERS)):
        line = results[first : first + len(ORDERS)]
        table.add_row(
            line[0].question.person,
            line[0].question.filters,
            f"{line[0].total:,}",
            *(f"{statistics.median(each.many):.1f}  {each.ratio:.2f}" for each in line),
            "within" if all(each.ratio <= LIMIT for each in line) else "OVER",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
