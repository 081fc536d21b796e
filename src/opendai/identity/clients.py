"""The API clients of the provider: which of them asks, and which of them let people log in.

A client is known by its secret in the form or in Basic, or by its id alone if it has no secret.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_plus

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.logins import find_client, find_public_client
from opendai.identity.requests import GrantRefused
from opendai.parts import parts_of

# What a token request of every grant says of its client.
CLIENT_FIELDS = ("client_id", "client_secret")


def client_asking(session: Session, request: Request, fields: Mapping[str, str]) -> tables.ApiClient:
    """The client that asks; invalid_client for everyone else."""
    encoded = _basic(request)
    if encoded is None and "client_id" in fields and "client_secret" not in fields:
        client = find_public_client(session, fields["client_id"])
        if client is not None:
            return client
    return client_with_secret(session, request, fields)


def client_with_secret(session: Session, request: Request, fields: Mapping[str, str]) -> tables.ApiClient:
    """The client that asks and proves it; a client without a secret cannot."""
    encoded = _basic(request)
    for client_id, secret in _pairs(fields) if encoded is None else _basic_pairs(encoded):
        client = find_client(session, client_id, secret)
        if client is not None:
            return client
    raise GrantRefused(
        "invalid_client",
        "Invalid client or Invalid client credentials",
        status=401,
        # Some clients take any challenge for a failure of the transport, so it is for those alone who use Basic.
        challenge=None if encoded is None else f'Basic realm="{parts_of(request).settings.realm}"',
    )


def find_login_client(session: Session, client_id: str) -> tables.ApiClient | None:
    """The client of this id, if it lets people log in and was not revoked."""
    client = tables.ApiClient
    found = session.scalar(select(client).where(client.client_id == client_id, client.revoked_at.is_(None)))
    return found if found is not None and "authorization_code" in found.grants else None


def _basic(request: Request) -> str | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    return encoded.strip() if scheme.lower() == "basic" else None


def _pairs(fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if "client_id" in fields and "client_secret" in fields:
        yield fields["client_id"], fields["client_secret"]


def _basic_pairs(encoded: str) -> Iterator[tuple[str, str]]:
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    # RFC 6749 has both parts form-encoded, many clients send them raw, and DAI's ids hold colons.
    splits = [index for index, character in enumerate(text) if character == ":"][:8]
    for index in splits:
        raw = text[:index], text[index + 1 :]
        for pair in ((unquote_plus(raw[0]), unquote_plus(raw[1])), raw):
            # PostgreSQL does not take NUL, and no client has it in its id.
            if "\0" not in pair[0]:
                yield pair
