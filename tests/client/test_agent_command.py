import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest

from opendai_client.agent import cli
from opendai_client.agent.configuration import Access, ConfigurationError, read_ini, read_secret
from opendai_client.client import Client
from tests.client.scripted_server import ScriptedServer
from tests.client.shop import WHOLE_WALK, shop_document
from tests.loopback import LoopbackServer

ACCESS = ["--url", "http://server", "--client-id", "lab-1", "--client-secret", "s3cret"]
INI = """\
[execution environment]
url = http://server:8000
client_id = client:dai:agent:lab-1
client_secret = 100%s=;#cret
token_url = http://server:8000/token
color = blue
"""


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("OPENDAI_AGENT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def ini(tmp_path):
    def ini(text):
        path = tmp_path / "agent.ini"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return ini


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs the command in this process: its exit code and what it wrote to standard error."""

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["opendai-agent", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, capsys.readouterr().err

    return command


@pytest.fixture
def started(monkeypatch):
    """The agents that the command would start; none starts."""
    agents: list[Any] = []
    monkeypatch.setattr(cli, "_run_until_signalled", agents.append)
    return agents


@pytest.fixture
def served():
    """A scripted server behind a real port, and its address."""
    scripted = ScriptedServer(lease_seconds=5.0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = httpx.Request(
                "POST", f"http://server{self.path}", headers=dict(self.headers), content=content
            )
            response = scripted._handle(request)
            self.send_response(response.status_code)
            self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        def log_message(self, *_):
            pass

    server = LoopbackServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield scripted, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def process(served):
    """Starts the command as a process of its own; kills what has not ended by the end of the test."""
    processes = []

    def process(*arguments):
        environment = os.environ | {
            "OPENDAI_AGENT_URL": served[1],
            "OPENDAI_AGENT_CLIENT_ID": "lab-1",
            "OPENDAI_AGENT_CLIENT_SECRET": "s3cret",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        command = [sys.executable, "-m", "opendai_client.agent", *arguments]
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
        return processes[-1]

    yield process
    for each in processes:
        each.kill()
        each.communicate()


def test_an_ini_file_is_read_to_the_letter(ini):
    assert read_ini(ini(INI)) == Access(
        url="http://server:8000",
        client_id="client:dai:agent:lab-1",
        client_secret="100%s=;#cret",
        token_url="http://server:8000/token",
    )


def test_an_ini_file_from_windows_is_read(ini):
    assert read_ini(ini(b"\xef\xbb\xbf" + INI.replace("\n", "\r\n").encode())).client_secret == "100%s=;#cret"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must have one section, and it has 0."),
        (INI + "[second]\n", "must have one section, and it has 2."),
        ("client_secret = s3cret\n", ", line 1 is not an ini file."),
        ("[a]\nclient_secret: s3cret\nclient_secret: s3cret\n", ", line 3 is not an ini file."),
        ("[a]\ns3cret\n", " is not an ini file."),
        ("[a]\nurl = http://server\nclient_secret = s3cret\n", "does not say client_id."),
        ("[a]\nurl =\n", "does not say url and client_id and client_secret."),
        (b"[a]\nurl = \xff\n", "is not UTF-8 text."),
        ("[a]\n" + "# s3cret\n" * 9000, "is too large to be a file of credentials."),
    ],
)
def test_a_file_that_is_no_ini_file_is_refused_without_showing_what_is_in_it(ini, text, complaint):
    with pytest.raises(ConfigurationError) as caught:
        read_ini(ini(text))
    assert str(caught.value).endswith(complaint)
    assert "s3cret" not in str(caught.value)


def test_a_secret_file_holds_the_secret_and_perhaps_a_line_end(tmp_path):
    path = tmp_path / "secret"
    path.write_text("s3 cret\n")
    assert read_secret(path) == "s3 cret"
    path.write_text("\n")
    with pytest.raises(ConfigurationError, match="is empty"):
        read_secret(path)


def test_access_does_not_show_its_credentials(ini):
    assert (
        repr(read_ini(ini(INI))) == "Access(url='http://server:8000', token_url='http://server:8000/token')"
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--url and --client-id and --client-secret must be given, or an --ini-file that has it."),
        (ACCESS[:4], "--client-secret must be given, or an --ini-file that has it."),
        ([*ACCESS[2:], "--url", "server"], "must begin with http:// or https://"),
        ([*ACCESS, "--ini-file", "/nowhere/agent.ini"], "/nowhere/agent.ini cannot be read: No such file"),
        ([*ACCESS[:4], "--client-secret-file", "/"], "/ cannot be read: Is a directory."),
        ([*ACCESS, "--ca-cert-path", "/nowhere/ca.pem"], "/nowhere/ca.pem cannot be read."),
        ([*ACCESS, "--fail", "Pay@0"], "'Pay@0' counts from 0; the first time is @1."),
        ([*ACCESS, "--max-runs", "-1"], "'--max-runs'"),
        ([*ACCESS, "--driver", "selenium"], "'selenium'"),
        ([*ACCESS, "--log-level", "loud"], "'loud'"),
        ([*ACCESS, "--color", "blue"], "--color"),
        ([*ACCESS, "now"], "now"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(command, started, arguments, complaint):
    code, stderr = command(*arguments)
    assert code == 2
    assert stderr.startswith("opendai-agent: ")
    assert complaint in stderr
    assert stderr.count("\n") == 1
    assert "s3cret" not in stderr
    assert started == []


def test_a_server_that_does_not_let_the_agent_in_is_one_line_and_exit_code_1(command, monkeypatch):
    http = httpx.MockTransport(lambda _: httpx.Response(401, json={"error_description": "Bad credentials."}))
    monkeypatch.setattr(cli, "Client", lambda *given, **options: Client(*given, **options, transport=http))
    code, stderr = command(*ACCESS)
    assert code == 1
    told = [line for line in stderr.splitlines() if line.startswith("opendai-agent: ")]
    assert told == ["opendai-agent: The server does not let this agent in: Bad credentials. (HTTP 401)"]
    assert "Traceback" not in stderr


def test_help_names_every_option(command, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["opendai-agent", "--help"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert all(
        option in told for option in ("--ini-file", "--fail", "--max-runs", "--realtime", "--ca-cert-path")
    )


def test_what_is_given_goes_before_the_ini_file(command, started, ini):
    assert command("--ini-file", ini(INI), "--url", "https://other") == (0, "")
    assert started[0]._service._connection.url == "https://other"


@pytest.mark.parametrize("name", ["OPENDAI_AGENT_CLIENT_SECRET_FILE", "OPENDAI_AGENT_INI_FILE"])
def test_the_environment_may_name_files(command, started, monkeypatch, ini, name):
    monkeypatch.setenv(name, str(ini(INI)))
    assert command(*(ACCESS[:4] if "SECRET" in name else [])) == (0, "")
    assert len(started) == 1


def test_the_command_walks_a_run_and_ends(served, process):
    server, _ = served
    run = server.queue_run(shop_document())
    agent = process("--max-runs", "1", "--fail", "Back")
    _, told = agent.communicate(timeout=15)
    assert agent.returncode == 0
    assert run.status == "FAILED"
    assert [(step["state"], step["action"], step["target"]) for step in run.steps()][:3] == WHOLE_WALK[:3]
    assert [shot["state"] for shot in run.screenshots.values()] == [
        "Initial",
        "Home",
        "Results",
        "Error",
        "Cleanup",
    ]
    assert [line.split("INFO    ")[-1] for line in told.splitlines()] == [
        "Registered as lab-1 (agent 3).",
        "Claimed run 1, attempt 1: exploratory of Shop.",
        "Finished run 1, attempt 1: FAILED.",
        "Disconnected.",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_politely_and_leaves_the_run_to_its_lease(served, process, number):
    server, _ = served
    run = server.queue_run(shop_document(), step_pause_seconds=60.0)
    agent = process("--log-level", "debug")
    server.wait_until(lambda: run.screenshots)
    agent.send_signal(number)
    _, told = agent.communicate(timeout=5)
    assert agent.returncode == 0
    assert run.status == "RUNNING"
    assert server.calls[-1].endswith("/agents/disconnect")
    assert "Left run 1, attempt 1 to its lease." in told
    assert "s3cret" not in told
    assert "token-0" not in told
    assert "Traceback" not in told


def test_a_signal_ends_a_command_that_waits_for_work(served, process):
    server, _ = served
    agent = process()
    server.wait_until(lambda: server.claim_keys)
    agent.send_signal(signal.SIGTERM)
    agent.communicate(timeout=3)
    assert agent.returncode == 0


def test_the_agent_needs_nothing_of_the_server_but_the_engine():
    script = (
        "import sys, opendai_client.agent.cli\n"
        "print(*{name.split('.')[1] for name in sys.modules if name.startswith('opendai.')})"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=Path("/"),
    )
    assert set(done.stdout.split()) == {"engine", "errors"}
