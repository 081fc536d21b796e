"""`opendai keys`: the keys that sign tokens."""

from typing import Annotated

import typer

from opendai.auth.audit import Actor, Audit
from opendai.cli.beside import DataDir, open_database, read_settings
from opendai.credentials.key_rotation import disable_key, rotate_keys, search_keys
from opendai.credentials.keys import fresh_pair
from opendai.credentials.secrets import load_secret_key

app = typer.Typer(no_args_is_help=True, help="The keys that sign tokens.")


@app.command("rotate")
def rotate(data_dir: DataDir = None) -> None:
    """Make a key that signs from ten seconds later. The earlier ones verify until their tokens have run out."""
    settings = read_settings(data_dir)
    pair = fresh_pair()
    with open_database(settings) as database, database.writing() as session:
        key = rotate_keys(session, load_secret_key(settings.key_file), pair)
        Audit(session, Actor.of_command()).record("key.rotate", f"key:{key.kid}")
    typer.echo(f"The key {key.kid} signs from {key.signs_from.isoformat(timespec='seconds')} on.")


@app.command("list")
def list_keys(data_dir: DataDir = None) -> None:
    """List the keys, youngest first: id, whether it waits, signs, verifies or is disabled, and its first moment."""
    with open_database(read_settings(data_dir)) as database, database.reading() as session:
        for key in search_keys(session):
            typer.echo(f"{key.kid}\t{key.state}\t{key.signs_from.isoformat(timespec='seconds')}")


@app.command("disable")
def disable(kid: Annotated[str, typer.Argument(metavar="KID")], data_dir: DataDir = None) -> None:
    """Refuse every token that the key signed. Use it for a key that another person may know."""
    with open_database(read_settings(data_dir)) as database, database.writing() as session:
        disable_key(session, kid)
        Audit(session, Actor.of_command()).record("key.disable", f"key:{kid}")
    typer.echo(f"The key {kid} is disabled.")
