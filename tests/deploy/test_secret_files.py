"""Secrets in files of a container: passwords that the server reads, and the ini file of an agent."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from opendai.auth.logins import find_client
from opendai.cli.command import app
from opendai.database import Database
from opendai.installation import install
from opendai.settings import Settings
from opendai_client.agent.configuration import Access, read_ini

URL = "http://server:8000"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("OPENDAI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OPENDAI_ADMIN_PASSWORD", "correct horse battery staple")
    return Settings()


def test_database_password_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("a/b@c:d%\n", encoding="utf-8")
    settings = Settings(database_url="postgresql://opendai@database/opendai", database_password_file=file)
    assert make_url(settings.database).password == "a/b@c:d%"
    assert "a/b" not in repr(settings)


def test_admin_password_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("correct horse\n", encoding="utf-8")
    installed = install(Settings(data_dir=tmp_path, admin_password_file=file))
    # None: a password that was chosen is not shown.
    assert installed.admin is not None
    assert installed.admin.password is None
    assert Settings(admin_password_file=file).first_password == "correct horse"


@pytest.mark.parametrize(("content", "reason"), [(None, "cannot be read"), ("\n", "is empty")])
def test_password_file_that_holds_none(tmp_path: Path, content: str | None, reason: str) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"^The file {file} with a password {reason}\.$"):
        assert Settings(admin_password_file=file).first_password


def test_ini_file_is_made_and_then_kept(tmp_path: Path, settings: Settings) -> None:
    ini = tmp_path / "agent.ini"
    assert _write_ini(ini) == f"The API client agent can log in with {ini}.\n"
    first = read_ini(ini)
    assert stat.S_IMODE(ini.stat().st_mode) == 0o600
    assert first.url == URL
    assert first.token_url == f"{URL}/auth/realms/eggplant/protocol/openid-connect/token"
    assert _logs_in(settings, first)
    assert _write_ini(ini) == f"The API client agent can log in with {ini} already.\n"
    assert read_ini(ini) == first
    assert [path.name for path in tmp_path.glob("*agent*")] == ["agent.ini"]


def test_ini_file_that_is_lost_is_replaced(tmp_path: Path, settings: Settings) -> None:
    ini = tmp_path / "agent.ini"
    _write_ini(ini)
    first = read_ini(ini)
    ini.unlink()
    _write_ini(ini)
    second = read_ini(ini)
    assert second.client_id == first.client_id
    assert _logs_in(settings, second)
    assert not _logs_in(settings, first)


def test_ini_file_of_another_installation_is_replaced(tmp_path: Path, settings: Settings) -> None:
    ini = tmp_path / "agent.ini"
    ini.write_text(f"[opendai]\nurl = {URL}\nclient_id = agent-1\nclient_secret = old\n", encoding="utf-8")
    _write_ini(ini)
    assert _logs_in(settings, read_ini(ini))


def _write_ini(ini: Path) -> str:
    options = ["--role", "agent", "--public-url", f"{URL}/", "--ini", str(ini)]
    result = CliRunner().invoke(app, ["clients", "create", "agent", *options], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def _logs_in(settings: Settings, access: Access) -> bool:
    database = Database(settings.database, threads=2)
    with database.reading() as session:
        found = find_client(session, access.client_id, access.client_secret)
    database.close()
    return found is not None
