"""`opendai smtp`: the mail server."""

import typer

from opendai.cli.beside import DataDir, open_database, read_settings
from opendai.credentials.secrets import load_secret_key
from opendai.resources.administration.mail import Mail, allowed_servers, send_mail
from opendai.resources.administration.smtp import MailServerRepository

app = typer.Typer(no_args_is_help=True, help="The mail server.")


@app.command("test")
def send_test_mail(data_dir: DataDir = None) -> None:
    """Send a mail to the configured recipient by the configured server."""
    settings = read_settings(data_dir)
    with open_database(settings) as database, database.reading() as session:
        server = MailServerRepository(session, load_secret_key(settings.key_file)).get_with_password()
    mail = Mail(subject="opendai: a test", text="The mail server of this opendai installation works.")
    send_mail(server, mail, allowed=allowed_servers(settings))
    typer.echo(f"A mail was sent to {server.recipient} by {server.host}:{server.port}.")
