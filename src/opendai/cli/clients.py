"""`opendai clients`: programs with an id and a secret."""

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer

from opendai.cli.beside import DataDir, open_database, read_settings, server_url, token_url
from opendai.cli.inifile import keep_working
from opendai.errors import Invalid
from opendai.resources.api_clients import ROLES, ApiClientRepository

app = typer.Typer(no_args_is_help=True, help="Programs with an id and a secret.")

ClientName = Annotated[str, typer.Argument(metavar="NAME")]


@app.command("create")
def create_client(
    name: ClientName,
    role: Annotated[str, typer.Option(help="admin: for CI and scripts; agent: for opendai-agent.")] = "admin",
    public_url: Annotated[
        str | None, typer.Option(help="The address of the server, where it is not the usual.")
    ] = None,
    ini: Annotated[
        Path | None,
        typer.Option(
            "--ini",
            help="Write them to this file for opendai-agent instead. A file that works already is kept; "
            "else a client of this name gets a new secret.",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Create an API client and print its credentials as CSV. The secret is shown only now."""
    if role not in ROLES:
        raise Invalid(f"The role is one of {', '.join(ROLES)}, not {role}.")
    settings = read_settings(data_dir)
    with open_database(settings) as database, database.writing() as session:
        url = server_url(settings, session, public_url)
        address = token_url(settings, url)
        if ini:
            typer.echo(keep_working(session, ini, name=name, role=role, url=url, token_url=address))
            return
        credentials = ApiClientRepository(session).add(name, role=role)
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["client_id", "client_secret", "token_url"])
    rows.writerow([credentials.client_id, credentials.client_secret, address])


@app.command("list")
def list_clients(data_dir: DataDir = None) -> None:
    """List the API clients: id, name, role, and whether they are revoked."""
    with open_database(read_settings(data_dir)) as database, database.reading() as session:
        for client in ApiClientRepository(session).search():
            typer.echo(
                f"{client.client_id}\t{client.name}\t{client.role}\t{'revoked' if client.revoked_at else 'active'}"
            )


@app.command("revoke")
def revoke_client(name: ClientName, data_dir: DataDir = None) -> None:
    """Refuse a client and its tokens from now on."""
    with open_database(read_settings(data_dir)) as database, database.writing() as session:
        ApiClientRepository(session).revoke(name)
    typer.echo(f"The API client {name} was revoked.")
