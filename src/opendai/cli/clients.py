"""`opendai clients`: programs with an id and a secret."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from opendai.auth.audit import Actor, Audit
from opendai.cli.beside import DataDir, open_database, read_settings, server_url
from opendai.cli.inifile import keep_working
from opendai.errors import Invalid
from opendai.resources.api_clients.credential_files import as_csv, token_url
from opendai.resources.api_clients.repository import ROLES, ApiClientRepository
from opendai.resources.api_clients.schemas import ApiClientIn

app = typer.Typer(no_args_is_help=True, help="Programs with an id and a secret.")

ClientName = Annotated[str, typer.Argument(metavar="NAME")]
PublicUrl = Annotated[
    str | None, typer.Option(help="The address of the server, if it differs from the served one.")
]


@app.command("create")
def create_client(
    name: ClientName,
    role: Annotated[
        str,
        typer.Option(
            help="admin: for CI and scripts; agent: for opendai-agent; login: for what people log in through."
        ),
    ] = "admin",
    grants: Annotated[
        str | None,
        typer.Option(help="OAuth grant types, separated by commas. Default: those of the role."),
    ] = None,
    client_id: Annotated[
        str | None, typer.Option("--id", help="The client id. Default: made from the name.")
    ] = None,
    description: Annotated[str, typer.Option(help="The purpose of the client.")] = "",
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="An address that a login may return to; repeatable.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Make a client without a secret, for a page in a browser.")
    ] = False,
    public_url: PublicUrl = None,
    ini: Annotated[
        Path | None,
        typer.Option(
            "--ini",
            help="Write them to this file for opendai-agent instead. A file that works is kept; "
            "otherwise a client of this name gets a new secret.",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Create an API client and print its credentials as CSV. The secret is shown only now."""
    if role not in ROLES:
        raise Invalid(f"The role is one of {', '.join(ROLES)}, not {role}.")
    if ini and (grants is not None or client_id is not None or description or redirect_uri or public):
        raise Invalid("With --ini only the name, --role and --public-url can be given.")
    if ini and role == "login":
        raise Invalid("An agent cannot log in as a client of the role login.")
    given = _read(
        name=name,
        role=role,
        grants=None if grants is None else [grant.strip() for grant in grants.split(",")],
        client_id=client_id,
        description=description,
        redirect_uris=redirect_uri or [],
        is_public=public,
    )
    settings = read_settings(data_dir)
    with open_database(settings) as database, database.writing() as session:
        url = server_url(settings, session, public_url)
        address, audit = token_url(settings, url), Audit(session, Actor.of_command())
        if ini:
            said = keep_working(
                session, ini, audit, name=given.name, role=given.role, url=url, token_url=address
            )
        else:
            _, credentials = ApiClientRepository(session).add(given, audit)
            said = as_csv(credentials.client_id, credentials.client_secret, address).rstrip("\n")
    typer.echo(said)


@app.command("list")
def list_clients(data_dir: DataDir = None) -> None:
    """List the API clients: id, name, role, and whether they are revoked."""
    with open_database(read_settings(data_dir)) as database, database.reading() as session:
        for client in ApiClientRepository(session).search():
            typer.echo(
                f"{client.client_id}\t{client.name}\t{client.role}\t{'revoked' if client.revoked_at else 'active'}"
            )


@app.command("regenerate")
def regenerate_secret(name: ClientName, public_url: PublicUrl = None, data_dir: DataDir = None) -> None:
    """Give a client a new secret and print its credentials as CSV. The old secret and all tokens end."""
    settings = read_settings(data_dir)
    with open_database(settings) as database, database.writing() as session:
        address = token_url(settings, server_url(settings, session, public_url))
        clients = ApiClientRepository(session)
        _, credentials = clients.regenerate_secret(
            clients.get_named(name).id, Audit(session, Actor.of_command())
        )
    typer.echo(as_csv(credentials.client_id, credentials.client_secret, address), nl=False)


@app.command("revoke")
def revoke_client(name: ClientName, data_dir: DataDir = None) -> None:
    """Refuse a client and its tokens from now on."""
    with open_database(read_settings(data_dir)) as database, database.writing() as session:
        clients = ApiClientRepository(session)
        clients.revoke(clients.get_named(name).id, Audit(session, Actor.of_command()))
    typer.echo(f"The API client {name} was revoked.")


@app.command("delete")
def delete_client(name: ClientName, data_dir: DataDir = None) -> None:
    """Delete a client, which ends its tokens."""
    with open_database(read_settings(data_dir)) as database, database.writing() as session:
        clients = ApiClientRepository(session)
        clients.remove(clients.get_named(name).id, Audit(session, Actor.of_command()))
    typer.echo(f"The API client {name} was deleted.")


def _read(**given: Any) -> ApiClientIn:
    try:
        return ApiClientIn(**given)
    except ValidationError as error:
        fault = error.errors()[0]
        problem = fault["msg"].removeprefix("Value error, ")
        raise Invalid(f"{fault['loc'][0]}: {problem}") from error
