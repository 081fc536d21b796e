"""The services of the tests are themselves tested: they start, they stop, and they leave nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.services import WITHOUT_SERVICES, PostgresServer, S3Server, ServiceError, sockets

REPOSITORY = Path(__file__).parents[2]

STARTS_AND_WAITS = """
import sys, time
from tests.services import PostgresServer, S3Server
with PostgresServer() as postgres, S3Server() as s3:
    print(postgres.pid, s3.pid, postgres.folder, s3.folder, *s3.ports, flush=True)
    time.sleep(60)
"""

USES_BOTH = """
def test_postgres(postgres_server): assert postgres_server.pid
def test_s3(s3_server): assert s3_server.pid
"""


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text(encoding="utf-8").rpartition(") ")[2][0] != "Z"


def test_databases_are_made_from_templates_and_dropped(postgres_server: PostgresServer) -> None:
    template = create_engine(postgres_server.create_database("services_template"))
    with template.begin() as connection:
        connection.execute(text("CREATE TABLE words AS SELECT 'ÄPFEL' AS word"))
    template.dispose()

    engine = create_engine(postgres_server.create_database("services_copy", template="services_template"))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT lower(word) FROM words")) == "äpfel"
        assert connection.scalar(text("SHOW max_connections")) == "200"
        # One connection is still open; dropping must not wait for it.
        postgres_server.drop_database("services_copy")
        connection.invalidate()
    engine.dispose()
    postgres_server.drop_database("services_template")
    postgres_server.drop_database("services_template")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(postgres_server.url("services_copy").replace("+psycopg", ""))


@pytest.mark.slow
def test_nothing_is_left_behind(postgres_server: PostgresServer, s3_server: S3Server) -> None:
    with PostgresServer() as postgres, S3Server() as s3:
        assert is_running(postgres.pid)
        assert is_running(s3.pid)
        assert postgres.folder.exists()
        assert s3.folder.exists()
        assert sockets(s3.ports) != []
    assert not is_running(postgres.pid)
    assert not is_running(s3.pid)
    assert not postgres.folder.exists()
    assert not s3.folder.exists()
    assert sockets(s3.ports) == []


@pytest.mark.usefixtures("postgres_server", "s3_server")
@pytest.mark.parametrize("service", [PostgresServer, S3Server])
def test_service_that_cannot_start_says_why(
    service: type[PostgresServer | S3Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = service()
    monkeypatch.setattr(S3Server, "_write_identity", lambda server: server.folder / "missing.json")
    monkeypatch.setattr("tests.services._POSTGRES_PORT", 99_999)
    with pytest.raises(ServiceError, match=r"ended with \d+ while starting") as raised:
        broken.__enter__()
    assert len(str(raised.value).splitlines()) > 1
    assert not is_running(broken.pid)
    assert not broken.folder.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("postgres_server", "s3_server")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")
def test_killed_tests_leave_no_process() -> None:
    command = [sys.executable, "-c", STARTS_AND_WAITS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        words = process.stdout.readline().decode().split()
        process.send_signal(signal.SIGKILL)
    pids = [int(word) for word in words[:2]]
    give_up_at = time.monotonic() + 10
    while any(map(is_running, pids)):
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    # The folders do stay; nobody was left to remove them.
    for folder in words[2:4]:
        shutil.rmtree(folder)
    for path in sockets([int(word) for word in words[4:]]):
        path.unlink()


@pytest.mark.slow
def test_services_are_skipped_only_on_request(tmp_path: Path) -> None:
    (tmp_path / "test_both.py").write_text(USES_BOTH, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.services", "-rs", str(tmp_path)]
    environment = os.environ | {WITHOUT_SERVICES: "1", "PYTHONPATH": str(REPOSITORY)}
    finished = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert "2 skipped" in finished.stdout
    assert finished.stdout.count(f"{WITHOUT_SERVICES}=1") >= 1
