"""The credentials of an API client as files, for people to keep and for programs to read."""

import configparser
import csv
import io
from typing import Annotated, Literal

from fastapi import Depends, Request

from opendai.settings import Settings

Format = Literal["json", "csv", "ini"]

_FORMATS: dict[str, Format] = {
    "application/json": "json",
    "application/*": "json",
    "*/*": "json",
    "text/csv": "csv",
    "text/plain": "ini",
}


def token_url(settings: Settings, url: str) -> str:
    """The token endpoint of the server at this address."""
    return f"{url}/auth/realms/{settings.realm}/protocol/openid-connect/token"


def as_csv(client_id: str, client_secret: str, token_address: str) -> str:
    """One row with a heading, as DAI offers it for download."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["client_id", "client_secret", "token_url"])
    # A spreadsheet would run a cell that begins like a formula. Only an id that a person chose can begin so.
    cell = f"'{client_id}" if client_id.startswith(("=", "+", "-", "@")) else client_id
    rows.writerow([cell, client_secret, token_address])
    return text.getvalue()


def as_ini(client_id: str, client_secret: str, token_address: str, *, url: str) -> str:
    """The file with which an agent finds its server and logs in."""
    # A secret may hold a percent sign.
    parser = configparser.ConfigParser(interpolation=None)
    parser["opendai"] = {
        "url": url,
        "client_id": client_id,
        "client_secret": client_secret,
        "token_url": token_address,
    }
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


async def _wanted(request: Request, format: Format | None = None) -> Format:
    if format is not None:
        return format
    wishes = [_wish(part) for part in request.headers.get("accept", "").split(",")]
    known = [(weight, _FORMATS[kind]) for weight, kind in wishes if weight > 0 and kind in _FORMATS]
    # The first of several equal weights wins.
    return max(known, key=lambda wish: wish[0])[1] if known else "json"


def _wish(part: str) -> tuple[float, str]:
    """The weight of a media type of an Accept header, from 0 to 1, and the media type."""
    kind, _, parameters = part.partition(";")
    name, _, value = parameters.strip().partition("=")
    try:
        weight = float(value) if name.strip() == "q" else 1.0
    except ValueError:
        weight = 0.0
    return weight, kind.strip().lower()


# The query names the format; without it the Accept header does.
WantedFormat = Annotated[Format, Depends(_wanted)]
