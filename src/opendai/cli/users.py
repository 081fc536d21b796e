"""`opendai users`: people with passwords."""

import sys
from typing import Annotated

import typer

from opendai.auth.attempts import forget_account
from opendai.auth.audit import Actor, Audit
from opendai.cli.beside import DataDir, open_database, read_settings
from opendai.credentials.passwords import Passwords
from opendai.errors import Invalid
from opendai.resources.accounts.users.repository import UserRepository
from opendai.resources.accounts.users.schemas import ROLES

app = typer.Typer(no_args_is_help=True, help="People with passwords.")

Username = Annotated[str, typer.Argument(metavar="NAME")]


@app.command("create")
def create_user(
    username: Username,
    role: Annotated[str, typer.Option(help="None, User or Admin.")] = "User",
    group: Annotated[
        list[str] | None, typer.Option(help="A group besides the user's own; repeatable.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Create a user. The password is asked for, or read from standard input."""
    if role not in ROLES:
        raise Invalid(f"The role is one of {', '.join(ROLES)}, not {role}.")
    hashed = Passwords().hash_new(_read_password())
    with open_database(read_settings(data_dir)) as database, database.writing() as session:
        audit = Audit(session, Actor.of_command())
        UserRepository(session).add(username, hashed, audit, role=role, groups=group or [])
    typer.echo(f"The user {username} was created.")


@app.command("list")
def list_users(data_dir: DataDir = None) -> None:
    """List the users: id, name, role, groups."""
    with open_database(read_settings(data_dir)) as database, database.reading() as session:
        for user in UserRepository(session).search():
            groups = ",".join(group.name for group in user.groups)
            typer.echo(f"{user.id}\t{user.username}\t{user.role}\t{groups}")


@app.command("set-password")
def set_password(username: Username, data_dir: DataDir = None) -> None:
    """Set a user's password and revoke the user's tokens."""
    hashed = Passwords().hash_new(_read_password())
    with open_database(read_settings(data_dir)) as database, database.writing() as session:
        UserRepository(session).set_password(username, hashed, Audit(session, Actor.of_command()))
    typer.echo(f"The password of {username} was set.")


@app.command("unlock")
def unlock_user(username: Username, data_dir: DataDir = None) -> None:
    """Unlock a user after too many failed logins."""
    with open_database(read_settings(data_dir)) as database, database.writing() as session:
        user = UserRepository(session).get_named(username)
        forget_account(session, user.username)
        Audit(session, Actor.of_command()).record("user.unlock", f"user:{user.id}")
    typer.echo(f"The user {username} may log in again.")


def _read_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
