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
    """One row under its heading, as DAI lets people download it."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["client_id", "client_secret", "token_url"])
    # A spreadsheet would run what begins like a formula, and only an id that somebody chose can.
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
    # Of equal wishes the first one counts.
    return max(known, key=lambda wish: wish[0])[1] if known else "json"


def _wish(part: str) -> tuple[float, str]:
    """How much a media type of an Accept header is wished for, from 0 to 1."""
    kind, _, parameters = part.partition(";")
    name, _, value = parameters.strip().partition("=")
    try:
        weight = float(value) if name.strip() == "q" else 1.0
    except ValueError:
        weight = 0.0
    return weight, kind.strip().lower()


# Named in the query, or else by the Accept header.
WantedFormat = Annotated[Format, Depends(_wanted)]
