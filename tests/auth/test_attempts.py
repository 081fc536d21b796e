"""Guesses at passwords: counted by account and by address, at every place where a password is taken."""

import ipaddress
from collections.abc import Callable, Iterator

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from sqlalchemy import insert, select, update

from opendai import tables
from opendai.api.server import Server
from opendai.auth import attempts
from opendai.auth.addresses import network_of
from opendai.credentials.passwords import Passwords
from opendai.database import Database
from opendai.errors import TooMany
from tests.arranging.parts import with_settings
from tests.conftest import PASSWORD, Person, Program
from tests.inprocess import TestClient

TOKEN = "/auth/realms/eggplant/protocol/openid-connect/token"
CHECK = "/ai/internal/auth"
ADDRESS = "203.0.113.7"


@pytest.fixture
def guesser(client: TestClient, app: Server, server_loop: BlockingPortal) -> TestClient:
    """Asks from an address of its own; the server has been started and emptied."""
    return TestClient(app, server_loop, address=ADDRESS)


@pytest.fixture
def quick(app: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a hundred guesses are made, the hash of each would only cost time."""
    monkeypatch.setattr(Passwords, "verify", lambda _self, password, hashed: password == PASSWORD and hashed)


@pytest.fixture
def switched_on(app: Server) -> Iterator[None]:
    with with_settings(app, internal_auth=True):
        yield


@pytest.fixture(params=["session", "grant", "check"])
def log_in(
    request: pytest.FixtureRequest, guesser: TestClient, ci: Program, switched_on: None
) -> Callable[[str, str], httpx2.Response]:
    """One of the places where a person's password is taken."""

    def ask(username: str, password: str) -> httpx2.Response:
        given = {"username": username, "password": password}
        if request.param == "session":
            return guesser.post("/ai/auth", json=given)
        if request.param == "check":
            return guesser.post(CHECK, json=given, headers=ci.bearer)
        client = {"grant_type": "password", "client_id": ci.client_id, "client_secret": ci.secret}
        return guesser.post(TOKEN, data={**client, **given})

    return ask


def _session(guesser: TestClient, username: str, password: str = "wrong password"):
    return guesser.post("/ai/auth", json={"username": username, "password": password})


def _counts(database: Database) -> dict[str, int]:
    """The counted attempts by kind; each of these tests has at most one of a kind."""
    with database.reading() as session:
        rows = session.execute(select(tables.LoginAttempts.kind, tables.LoginAttempts.count)).all()
    assert len({kind for kind, _ in rows}) == len(rows)
    return dict(rows)


def _age(database: Database, seconds: float) -> None:
    """As if so much time had passed since."""
    with database.writing() as session:
        expires = tables.LoginAttempts.expires
        session.execute(update(tables.LoginAttempts).values(expires=expires - seconds))


def _answer(response: httpx2.Response) -> tuple[int, bytes, dict[str, str]]:
    own = {"x-request-id"}
    return response.status_code, response.content, {n: v for n, v in response.headers.items() if n not in own}


@pytest.mark.parametrize("username", ["alice", "nobody at all"])
def test_after_ten_failures_the_right_password_is_answered_as_a_wrong_one(
    log_in: Callable[[str, str], httpx2.Response], alice: Person, quick: None, username: str
) -> None:
    wrong = [_answer(log_in(username, "wrong password")) for _ in range(attempts.ACCOUNT_ATTEMPTS)]
    assert _answer(log_in(username, PASSWORD)) == wrong[0]
    assert all(answer == wrong[0] for answer in wrong)
    assert wrong[0][0] in {404, 401}


def test_the_tenth_attempt_may_still_be_the_right_one_and_forgets_the_others(
    guesser: TestClient, alice: Person, database: Database, quick: None
) -> None:
    for _ in range(attempts.ACCOUNT_ATTEMPTS - 1):
        assert _session(guesser, "alice").status_code == 404
    assert _session(guesser, "alice", PASSWORD).status_code == 200
    assert _counts(database) == {"address": attempts.ACCOUNT_ATTEMPTS - 1}


def test_a_locked_account_costs_no_hash(
    guesser: TestClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []
    monkeypatch.setattr(Passwords, "verify", lambda _self, password, _hash: hashed.append(password))
    for _ in range(attempts.ACCOUNT_ATTEMPTS + 5):
        _session(guesser, "alice")
    assert len(hashed) == attempts.ACCOUNT_ATTEMPTS


def test_accounts_that_differ_in_case_are_counted_apart(
    guesser: TestClient, alice: Person, database: Database, quick: None
) -> None:
    for _ in range(attempts.ACCOUNT_ATTEMPTS + 1):
        _session(guesser, "ALICE")
    assert _session(guesser, "alice", PASSWORD).status_code == 200


def test_a_lock_lasts_ten_minutes_and_guesses_do_not_prolong_it(
    guesser: TestClient, alice: Person, database: Database, quick: None
) -> None:
    for _ in range(attempts.ACCOUNT_ATTEMPTS + 1):
        _session(guesser, "alice")
    _age(database, attempts.LOCK_SECONDS - 5)
    assert _session(guesser, "alice", PASSWORD).status_code == 404
    _age(database, 5)
    assert _session(guesser, "alice", PASSWORD).status_code == 200


def test_failures_of_five_minutes_ago_do_not_count(
    guesser: TestClient, alice: Person, database: Database, quick: None
) -> None:
    for _ in range(attempts.ACCOUNT_ATTEMPTS):
        _session(guesser, "alice")
    _age(database, attempts.SPAN_SECONDS)
    _session(guesser, "alice")
    assert _counts(database)["account"] == 1
    assert _session(guesser, "alice", PASSWORD).status_code == 200


def test_a_hundred_failures_lock_the_address_for_all_accounts(
    client: TestClient, guesser: TestClient, alice: Person, quick: None
) -> None:
    for number in range(attempts.ADDRESS_ATTEMPTS):
        assert _session(guesser, f"guess {number}").status_code == 404
    refused = _session(guesser, "alice", PASSWORD)
    assert refused.status_code == 429
    assert refused.json() == {"message": "Too many failed logins came from this address. Try again later."}
    assert attempts.LOCK_SECONDS - 30 < int(refused.headers["retry-after"]) <= attempts.LOCK_SECONDS
    assert _session(client, "alice", PASSWORD).status_code == 200


def test_a_locked_address_is_a_429_in_the_words_of_the_token_endpoint(
    guesser: TestClient, ci: Program, alice: Person, database: Database
) -> None:
    _lock(database, ADDRESS)
    form = {"grant_type": "password", "client_id": ci.client_id, "client_secret": ci.secret}
    refused = guesser.post(TOKEN, data={**form, "username": "alice", "password": PASSWORD})
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 500
    assert refused.json()["error"] == "temporarily_unavailable"


def test_a_locked_address_locks_no_account(guesser: TestClient, alice: Person, database: Database) -> None:
    _lock(database, ADDRESS)
    for _ in range(attempts.ACCOUNT_ATTEMPTS + 1):
        assert _session(guesser, "alice").status_code == 429
    assert "account" not in _counts(database)


def test_the_client_of_a_locked_address_still_gets_tokens(
    guesser: TestClient, ci: Program, database: Database
) -> None:
    _lock(database, ADDRESS)
    form = {"grant_type": "client_credentials", "client_id": ci.client_id, "client_secret": ci.secret}
    assert guesser.post(TOKEN, data=form).status_code == 200


def test_the_address_of_a_login_service_is_not_counted(
    guesser: TestClient, ci: Program, alice: Person, switched_on: None, database: Database
) -> None:
    _lock(database, ADDRESS)
    given = {"username": "alice", "password": PASSWORD}
    assert guesser.post(CHECK, json=given, headers=ci.bearer).status_code == 200


def test_wrong_secrets_of_a_client_are_not_counted(
    guesser: TestClient, ci: Program, database: Database
) -> None:
    form = {"grant_type": "client_credentials", "client_id": ci.client_id, "client_secret": "wrong"}
    assert guesser.post(TOKEN, data=form).status_code == 401
    assert _counts(database) == {}


def test_what_is_stored_does_not_show_what_was_typed(
    guesser: TestClient, alice: Person, database: Database, quick: None
) -> None:
    _session(guesser, "my password by mistake")
    with database.reading() as session:
        rows = {row.kind: row.key for row in session.scalars(select(tables.LoginAttempts))}
    assert rows["address"] == f"{ADDRESS}/32"
    assert len(bytes.fromhex(rows["account"])) == 32


def test_behind_a_proxy_the_address_of_the_guesser_counts(
    app: Server, server_loop: BlockingPortal, alice: Person, database: Database
) -> None:
    behind = TestClient(app, server_loop, address="10.0.0.1")
    with with_settings(app, trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"),)):
        for last in range(2):
            made_up = {"X-Forwarded-For": f"6.6.6.{last}, {ADDRESS}"}
            guess = {"username": "alice", "password": "wrong password"}
            assert behind.post("/ai/auth", json=guess, headers=made_up).status_code == 404
    with database.reading() as session:
        row = tables.LoginAttempts
        assert session.execute(select(row.key, row.count).where(row.kind == "address")).all() == [
            (f"{ADDRESS}/32", 2)
        ]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.9", "198.51.100.9/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff::/64"),
    ],
)
def test_an_address_is_counted_with_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_success_that_was_begun_before_a_lock_does_not_end_it(
    client: TestClient, database: Database
) -> None:
    _lock(database, ADDRESS)
    attempts.give_back(database, "alice", ADDRESS)
    with pytest.raises(TooMany):
        attempts.begin_attempt(database, "alice", ADDRESS)


def _lock(database: Database, address: str) -> None:
    with database.writing() as session:
        session.execute(
            insert(tables.LoginAttempts).values(
                kind="address",
                key=network_of(address),
                count=attempts.ADDRESS_ATTEMPTS,
                expires=2**40,
            )
        )
    with pytest.raises(TooMany):
        attempts.begin_attempt(database, "whoever", address)
