"""An installation as docker-compose.yml describes it, on the PostgreSQL and the S3 server of the tests."""

import secrets
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.deploy.deployment import REPOSITORY, Deployment
from tests.services import PostgresServer, S3Server


@pytest.fixture(scope="session")
def secret_files(tmp_path_factory: pytest.TempPathFactory, s3_server: S3Server) -> Path:
    """Made as people make them, but for the keys of an S3 server that runs already."""
    folder = tmp_path_factory.mktemp("deploy") / "secrets"
    folder.mkdir()
    for name in ("access_key", "secret_key"):
        shutil.copy(s3_server.folder / name, folder / f"s3_{name}")
    subprocess.run(["sh", REPOSITORY / "deploy" / "make-secrets.sh", folder], check=True)
    return folder


@pytest.fixture(scope="session")
def asking_postgres(postgres_server: PostgresServer, secret_files: Path) -> PostgresServer:
    """The server asks the role of the compose file for its password; all others it trusts."""
    password = (secret_files / "database_password").read_text(encoding="utf-8")
    rules = postgres_server.folder / "data" / "pg_hba.conf"
    with psycopg.connect(_superuser(postgres_server), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE opendai LOGIN PASSWORD {}").format(sql.Literal(password)),
        )
        trusting = rules.read_text(encoding="utf-8")
        rules.write_text(f"local all opendai scram-sha-256\n{trusting}", encoding="utf-8")
        connection.execute("SELECT pg_reload_conf()")
    return postgres_server


@pytest.fixture
def deployment(
    tmp_path: Path, secret_files: Path, asking_postgres: PostgresServer, s3_server: S3Server
) -> Deployment:
    """With a database and a bucket of its own; nothing has been started."""
    name = f"deployed_{secrets.token_hex(4)}"
    asking_postgres.create_database(name)
    with psycopg.connect(_superuser(asking_postgres), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO opendai").format(sql.Identifier(name)))
    query = urlsplit(asking_postgres.url(name)).query
    public = s3_server.endpoint_url.replace("127.0.0.1", "localhost")
    places = {
        "postgresql://opendai@database:5432/opendai": f"postgresql://opendai@/{name}?{query}",
        "s3://opendai?": f"s3://{s3_server.bucket()}?",
        "http://storage:8333": s3_server.endpoint_url,
        "http://localhost:8333": public,
        "/run/secrets/": f"{secret_files}/",
        "/data/": f"{tmp_path}/",
    }
    return Deployment(tmp_path, places)


def _superuser(server: PostgresServer) -> str:
    return server.url("postgres").replace("+psycopg", "")
