"""The rows that the worker deletes once their time has passed."""

import threading

from sqlalchemy import func, insert, select

from opendai import tables
from opendai.api.server import Server
from opendai.auth.logins import hash_secret
from opendai.database import Database, Table, database_clock
from opendai.worker.expiry import delete_expired
from tests.arranging.logging_in import make_portal
from tests.conftest import Person
from tests.inprocess import TestClient

# In seconds. The worker waits for a minute, because clocks may differ a little.
OVER, PRESENT = 61, 1


def fill(database: Database, alice: Person, client_id: int, *, number: int, seconds_ago: float) -> None:
    """A row of each kind that has expired, and a browser session that has not: other rows depend on it."""
    with database.writing() as session:
        now = session.scalars(select(database_clock())).one()
        end = {"expires": now - seconds_ago}
        kept = {"user_id": alice.id, "authenticated": now}
        sessions = [
            {"id": f"kept-{number}", "cookie_sha256": f"kept-{number}", "expires": now + 600, **kept},
            {"id": f"over-{number}", "cookie_sha256": f"over-{number}", **end, **kept},
        ]
        session.execute(insert(tables.BrowserSession), sessions)
        origin = {"browser_session_id": f"kept-{number}"}
        session.add(tables.Login(id=f"{number}", **kept, **end, **origin))
        session.add(
            tables.AuthorizationCode(
                code_sha256=hash_secret(str(number)),
                client_id=client_id,
                redirect_uri="",
                challenge="",
                nonce=None,
                scope="",
                **end,
                **origin,
            )
        )
        session.add(tables.RevokedToken(jti=f"{number}", **end))
        session.add(tables.LoginAttempts(kind="address", key=f"{number}", count=1, **end))


def counts(database: Database) -> dict[type[Table], int]:
    with database.reading() as session:
        return {
            table: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables.PASSING
        }


def test_expired_rows_are_deleted_and_other_rows_stay(
    app: Server, client: TestClient, alice: Person, database: Database
) -> None:
    portal = make_portal(app, client, alice)
    answer = portal.log_in()
    before = counts(database)
    fill(database, alice, portal.id, number=1, seconds_ago=OVER)
    fill(database, alice, portal.id, number=2, seconds_ago=PRESENT)
    delete_expired(app.state.parts, threading.Event())
    left = {table: count - before[table] for table, count in counts(database).items()}
    assert left == {table: 3 if table is tables.BrowserSession else 1 for table in tables.PASSING}
    assert portal.is_accepted(answer)
    assert client.get("/ai/models", headers=alice.bearer).status_code == 200


def test_more_rows_than_a_batch_are_deleted(app: Server, client: TestClient, database: Database) -> None:
    with database.writing() as session:
        now = session.scalars(select(database_clock())).one()
        rows = [{"jti": f"{number}", "expires": now - OVER} for number in range(1001)]
        session.execute(insert(tables.RevokedToken), rows)
    delete_expired(app.state.parts, threading.Event())
    assert counts(database)[tables.RevokedToken] == 0


def test_it_stops_when_the_server_does(
    app: Server, client: TestClient, alice: Person, database: Database
) -> None:
    fill(database, alice, make_portal(app, client, alice).id, number=1, seconds_ago=OVER)
    before, stopping = counts(database), threading.Event()
    stopping.set()
    delete_expired(app.state.parts, stopping)
    assert counts(database) == before


def test_every_table_whose_rows_expire_is_listed() -> None:
    expiring = {table.name for table in Table.metadata.tables.values() if "expires" in table.c}
    assert {table.__tablename__ for table in tables.PASSING} == expiring
