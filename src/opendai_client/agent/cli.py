"""The opendai-agent command."""

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import typer.exceptions

from opendai_client.agent.configuration import Access, ConfigurationError, read_ini, read_secret
from opendai_client.agent.drivers.failures import FailureRule
from opendai_client.agent.drivers.registry import DriverProblem, make_driver
from opendai_client.agent.loop import Agent
from opendai_client.client import Client
from opendai_client.errors import ClientError

logger = logging.getLogger(__name__)

# A step or a call in progress gets this long after the signal; then the run is left to its lease.
_LAST_SECONDS = 5.0


class LogLevel(StrEnum):
    """The amount of log that the agent writes."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def main() -> None:
    """The entry point: a mistake is one line on standard error and exit code 1 or 2, never a traceback."""
    try:
        # Not standalone, because Typer prints a usage error in several lines.
        code = app(standalone_mode=False)
    except typer.exceptions.TyperException as error:
        _fail(error.format_message(), code=2)
    except (ConfigurationError, DriverProblem) as error:
        _fail(str(error), code=2)
    except ClientError as error:
        _fail(f"The server does not let this agent in: {error}", code=1)
    except typer.Abort:
        _fail("Aborted.", code=1)
    sys.exit(code or 0)


@app.command()
def start(
    url: Annotated[
        str, typer.Option(envvar="OPENDAI_AGENT_URL", help="The server, such as http://localhost:8000.")
    ] = "",
    client_id: Annotated[str, typer.Option(envvar="OPENDAI_AGENT_CLIENT_ID", help="The API client.")] = "",
    client_secret: Annotated[
        str, typer.Option(envvar="OPENDAI_AGENT_CLIENT_SECRET", help="Its secret; better in the environment.")
    ] = "",
    client_id_file: Annotated[
        Path | None, typer.Option(envvar="OPENDAI_AGENT_CLIENT_ID_FILE", help="A file that holds the id.")
    ] = None,
    client_secret_file: Annotated[
        Path | None,
        typer.Option(envvar="OPENDAI_AGENT_CLIENT_SECRET_FILE", help="A file that holds the secret."),
    ] = None,
    ini_file: Annotated[
        Path | None,
        typer.Option(
            envvar="OPENDAI_AGENT_INI_FILE", help="A file with url, client_id, client_secret, token_url."
        ),
    ] = None,
    token_url: Annotated[
        str,
        typer.Option(
            envvar="OPENDAI_AGENT_TOKEN_URL",
            help="The address of tokens, if they do not come from the server.",
        ),
    ] = "",
    ca_cert_path: Annotated[
        Path | None,
        typer.Option(envvar="OPENDAI_AGENT_CA_CERT_PATH", help="The authorities to trust, as PEM."),
    ] = None,
    driver: Annotated[str, typer.Option(help="The installed driver that performs the steps.")] = "simulate",
    realtime: Annotated[bool, typer.Option(help="Let simulated steps take as long as they report.")] = False,
    fail: Annotated[
        list[str] | None,
        typer.Option(
            help="Let an action fail: 'Action' or 'State/Action', with '@2' (second time) or '%10' (10 %)."
        ),
    ] = None,
    max_runs: Annotated[
        int, typer.Option(min=0, help="The number of runs after which the agent ends; 0 for no end.")
    ] = 0,
    log_level: Annotated[
        LogLevel, typer.Option(envvar="OPENDAI_AGENT_LOG_LEVEL", case_sensitive=False)
    ] = LogLevel.INFO,
) -> None:
    """Claim runs from an opendai server, walk their models, and report what happened."""
    _start_logging(log_level)
    given = Access(
        url=url,
        client_id=client_id or (read_secret(client_id_file) if client_id_file else ""),
        client_secret=client_secret or (read_secret(client_secret_file) if client_secret_file else ""),
        token_url=token_url,
    )
    access = given.or_else(read_ini(ini_file)) if ini_file else given
    access.check()
    try:
        rules = tuple(FailureRule.parse(text) for text in fail or ())
        client = Client(
            access.url,
            access.client_id,
            access.client_secret,
            access.token_url or None,
            ca_cert_path=str(ca_cert_path) if ca_cert_path else None,
        )
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    options = {"failures": rules, "realtime": realtime}
    chosen = make_driver(driver, {name: value for name, value in options.items() if value})
    _run_until_signalled(Agent(client, chosen, max_runs=max_runs))


def _run_until_signalled(agent: Agent) -> None:
    """An error of the agent is raised here.

    The agent has a thread of its own: a handler that sets an event may not run in the thread that waits for
    it, and a signal must not break into a half-sent report.
    """
    stop = threading.Event()
    failures: list[Exception] = []

    def run() -> None:
        try:
            agent.run_forever(stop)
        except Exception as error:  # noqa: BLE001 - it is raised again in the main thread
            failures.append(error)

    with _signals_set(stop):
        thread = threading.Thread(target=run, name="agent", daemon=True)
        thread.start()
        while thread.is_alive() and not stop.is_set():
            thread.join(0.2)
        thread.join(_LAST_SECONDS)
    if failures:
        raise failures[0]


@contextmanager
def _signals_set(stop: threading.Event) -> Iterator[None]:
    """The first signal asks the agent to stop; the second one has its default effect."""

    def ask(number: int, _frame: FrameType | None) -> None:
        restore()
        logger.info("Stopping on %s.", signal.Signals(number).name)
        stop.set()

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    previous = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        restore()


def _start_logging(level: LogLevel) -> None:
    logging.basicConfig(
        level=level.value, format="%(asctime)s %(levelname)-7s %(message)s", stream=sys.stderr
    )
    # It writes a line for each request, with whatever address the request went to.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _fail(message: str, *, code: int) -> None:
    print("opendai-agent:", " ".join(message.split()), file=sys.stderr)  # noqa: T201 - this is what people read
    sys.exit(code)
