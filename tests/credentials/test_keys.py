"""The keys that sign tokens: read again while the server runs, rotated, disabled and retired."""

import contextlib
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from joserfc import jwt
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from opendai import tables
from opendai.api.server import Server
from opendai.credentials.key_rotation import (
    disable_key,
    has_keys_to_retire,
    retire_keys,
    rotate_keys,
    search_keys,
)
from opendai.credentials.keys import KeyRing, fresh_pair
from opendai.credentials.tokens import Tokens
from opendai.database import Database
from opendai.errors import Conflict, NotFound, Unauthorized
from opendai.settings import Settings
from tests.conftest import Person
from tests.faults.processes import wait_until
from tests.inprocess import TestClient

DAY = 86_400


class _Undo(Exception):  # noqa: N818 - it is no error
    """Ends a transaction of which nothing is to be left."""


@contextlib.contextmanager
def undone(database: Database) -> Iterator[Session]:
    """The running server reads the same table, so what a test does to its keys is never committed."""
    with contextlib.suppress(_Undo), database.writing() as session:
        yield session
        raise _Undo


@pytest.fixture
def secret_key(app: Server):
    return app.state.parts.secret_key


@pytest.fixture(scope="module")
def pair():
    return fresh_pair()


@pytest.fixture
def next_key(client: TestClient, database: Database, app: Server, pair) -> Iterator[str]:
    """A key of the database that will sign in a day, and is gone after the test."""
    with database.writing() as session:
        kid = rotate_keys(session, app.state.parts.secret_key, pair, delay=DAY).kid
    yield kid
    with database.writing() as session:
        session.execute(delete(tables.SigningKey).where(tables.SigningKey.kid == kid))
    app.state.parts.keys.read()


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


class CountingDatabase:
    """The database of a ring, which counts how often it is read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads = 0

    def reading(self):
        self.reads += 1
        return self._database.reading()


@pytest.fixture
def counting(client: TestClient, database: Database) -> CountingDatabase:
    return CountingDatabase(database)


@pytest.fixture
def ring(counting: CountingDatabase, secret_key, clock: Clock) -> KeyRing:
    """A ring of a server of the test's own, which nobody reads again."""
    return KeyRing(cast("Database", counting), secret_key, clock=clock)


def _token(ring: KeyRing) -> tuple[Tokens, str]:
    tokens = Tokens(ring, issuer="http://testserver")
    text, _ = tokens.issue("user:1", now=1000, lifetime=60, extra={"sid": str(uuid.uuid4())})
    return tokens, text


def test_a_key_is_known_before_it_signs_and_signs_when_its_time_has_come(
    ring: KeyRing, clock: Clock, next_key: str
):
    before = ring.signing.kid
    ring.read()
    assert ring.signing.kid == before
    assert [key.kid for key in ring.published] == [next_key, before]
    clock.seconds += DAY - 60
    assert ring.signing.kid == before
    clock.seconds += 120
    assert ring.signing.kid == next_key
    tokens, text = _token(ring)
    assert jwt.decode(text, ring.verifying(next_key), algorithms=["RS256"]).header["kid"] == next_key
    assert tokens.read(text, now=1030).subject == "user:1"


def test_a_token_of_an_earlier_key_is_good(ring: KeyRing, clock: Clock, next_key: str):
    tokens, text = _token(ring)
    ring.read()
    clock.seconds += 2 * DAY
    assert ring.signing.kid == next_key
    assert tokens.read(text, now=1030).subject == "user:1"


def test_a_token_that_was_accepted_before_is_refused_once_its_key_is_disabled(
    ring: KeyRing, clock: Clock, database: Database, next_key: str
):
    ring.read()
    clock.seconds += 2 * DAY
    tokens, text = _token(ring)
    assert tokens.read(text, now=1030).subject == "user:1"
    with database.writing() as session:
        session.execute(
            update(tables.SigningKey).where(tables.SigningKey.kid == next_key).values(is_disabled=True)
        )
    ring.read()
    with pytest.raises(Unauthorized):
        tokens.read(text, now=1030)


def test_a_token_that_was_accepted_before_runs_out(ring: KeyRing):
    tokens, text = _token(ring)
    tokens.read(text, now=1059)
    with pytest.raises(Unauthorized):
        tokens.read(text, now=1060)


def test_a_key_is_parsed_once(ring: KeyRing, next_key: str):
    ring.read()
    first = ring.verifying(next_key)
    ring.read()
    assert ring.verifying(next_key) is first


def test_an_unknown_kid_is_looked_up_at_once_and_then_once_a_second(
    ring: KeyRing, clock: Clock, next_key: str, counting: CountingDatabase
):
    clock.seconds += 5
    assert ring.verifying(next_key).kid == next_key
    assert counting.reads == 2  # The first one was at the start.
    for _ in range(100):
        with pytest.raises(KeyError):
            ring.verifying("nobody's")
    assert counting.reads == 2
    clock.seconds += 1
    for _ in range(100):
        with pytest.raises(KeyError):
            ring.verifying("nobody's")
    assert counting.reads == 3


def test_known_keys_are_used_without_asking_the_database(ring: KeyRing, counting: CountingDatabase):
    tokens, text = _token(ring)
    for _ in range(20):
        tokens.read(text, now=1030)
    assert counting.reads == 1


def test_a_flood_of_unknown_kids_from_many_threads_reads_once(
    ring: KeyRing, clock: Clock, counting: CountingDatabase
):
    tokens, _ = _token(ring)
    foreign = jwt.encode({"alg": "RS256", "kid": "nobody's"}, {"sub": "user:1"}, fresh_pair())
    clock.seconds += 60
    with ThreadPoolExecutor(8) as pool:
        for asked in [pool.submit(tokens.read, foreign, now=1030) for _ in range(200)]:
            with pytest.raises(Unauthorized):
                asked.result()
    assert counting.reads == 2


@pytest.mark.slow
def test_the_running_server_learns_a_key_by_itself(client: TestClient, next_key: str, app: Server):
    def published() -> set[str]:
        keys = client.get("/auth/realms/eggplant/protocol/openid-connect/certs").json()["keys"]
        return {key["kid"] for key in keys}

    wait_until(lambda: next_key in published(), "the worker read the keys again", seconds=5)


def test_a_person_stays_logged_in_over_a_rotation(
    client: TestClient, alice: Person, app: Server, next_key: str
):
    app.state.parts.keys.read()
    assert client.get("/ai/agents", headers=alice.bearer).status_code == 200


def test_the_private_half_is_encrypted(database: Database, next_key: str):
    with database.reading() as session:
        row = session.scalars(select(tables.SigningKey).where(tables.SigningKey.kid == next_key)).one()
    assert b"PRIVATE KEY" not in row.private_key
    assert set(json.loads(row.public_key)) == {"n", "e", "kty", "kid", "use", "alg"}


def test_the_states_of_keys(client: TestClient, database: Database, secret_key, pair):
    with undone(database) as session:
        (first,) = search_keys(session)
        assert first.state == "signs"
        second = rotate_keys(session, secret_key, pair, delay=-1)
        third = rotate_keys(session, secret_key, fresh_pair())
        assert [(key.kid, key.state) for key in search_keys(session)] == [
            (third.kid, "waits"),
            (second.kid, "signs"),
            (first.kid, "verifies"),
        ]
        disable_key(session, first.kid)
        assert [key.state for key in search_keys(session)] == ["waits", "signs", "disabled"]


def test_the_only_key_that_signs_cannot_be_disabled(client: TestClient, database: Database, secret_key, pair):
    with undone(database) as session:
        (first,) = search_keys(session)
        with pytest.raises(Conflict, match="only one that can sign now"):
            disable_key(session, first.kid)
        rotate_keys(session, secret_key, pair)  # It waits, so it does not help yet.
        with pytest.raises(Conflict, match="only one that can sign now"):
            disable_key(session, first.kid)
        assert [key.state for key in search_keys(session)] == ["waits", "signs"]


def test_a_key_that_is_not_there_cannot_be_disabled_and_one_that_is_disabled_stays_so(
    client: TestClient, database: Database, secret_key, pair
):
    with undone(database) as session:
        with pytest.raises(NotFound, match=r"There is no key nobody's\."):
            disable_key(session, "nobody's")
        waiting = rotate_keys(session, secret_key, pair)
        disable_key(session, waiting.kid)
        disable_key(session, waiting.kid)
        assert search_keys(session)[0].state == "disabled"


@pytest.mark.parametrize(("ago", "retired"), [(DAY + 300, False), (DAY + 900, True)])
def test_a_key_is_disabled_when_every_token_it_could_have_signed_has_run_out(
    client: TestClient, database: Database, secret_key, pair, ago: float, retired: bool
):
    with undone(database) as session:
        (first,) = search_keys(session)
        assert not has_keys_to_retire(session)
        rotate_keys(session, secret_key, pair, delay=-ago)
        assert has_keys_to_retire(session) is retired
        assert retire_keys(session) == ([first.kid] if retired else [])
        assert not has_keys_to_retire(session)
        assert [key.state for key in search_keys(session)] == ["signs", "disabled" if retired else "verifies"]


def test_a_key_that_signs_again_because_its_successor_was_disabled_is_kept(
    client: TestClient, database: Database, secret_key, pair
):
    with undone(database) as session:
        rotate_keys(session, secret_key, pair, delay=-3 * DAY)
        successor = search_keys(session)[0]
        disable_key(session, successor.kid)
        assert retire_keys(session) == []


def test_no_setting_lets_a_token_outlive_the_time_that_keys_are_kept():
    for name in ("access_token_seconds", "session_token_seconds"):
        (bound,) = [rule.le for rule in Settings.model_fields[name].metadata if hasattr(rule, "le")]
        assert bound <= DAY
