"""The options of the command itself, its subcommands, and its errors."""

import sys
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from opendai import __version__
from opendai.cli import clients, demo, keys, serve, smtp, users
from opendai.credentials.secrets import SecretKeyProblem
from opendai.errors import Problem
from opendai.migration import NewerDatabase

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__)
app.command("serve")(serve.serve)
app.command("migrate")(serve.migrate)
app.command("demo")(demo.demo)
app.add_typer(users.app, name="users")
app.add_typer(clients.app, name="clients")
app.add_typer(keys.app, name="keys")
app.add_typer(smtp.app, name="smtp")


def _version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"opendai {__version__}")
        raise typer.Exit


@app.callback()
def opendai(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """An open server for model-based testing that speaks the REST API of Eggplant DAI."""


def main() -> None:
    """Run the command. An error that a sentence explains is not shown as a traceback."""
    try:
        app()
    except ValidationError as error:
        # The faults are in the settings: commands read no other input with pydantic.
        for fault in error.errors():
            name = "_".join(str(part) for part in fault["loc"]).upper()
            _complain(f"OPENDAI_{name}: {fault['msg'].removeprefix('Value error, ')}")
        sys.exit(2)
    except (Problem, SecretKeyProblem, NewerDatabase, ValueError) as error:
        _complain(str(error))
        sys.exit(1)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        _complain(f"The database cannot be used: {reason}")
        sys.exit(1)
    except OSError as error:
        _complain(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
        sys.exit(1)


def _complain(sentence: str) -> None:
    typer.echo(f"opendai: {sentence}", err=True)
