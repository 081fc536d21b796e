"""The API clients of the provider: authentication at its endpoints, and login clients.

A client sends its id and secret in the form or by HTTP Basic; one without a secret sends its id alone.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_plus

from fastapi import Request
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.logins import find_client, find_public_client
from opendai.identity.realms import Realm
from opendai.identity.requests import GrantRefused

CLIENT_FIELDS = ("client_id", "client_secret")
_NOT_REVOKED = select(tables.ApiClient).where(
    tables.ApiClient.client_id == bindparam("client_id"), tables.ApiClient.revoked_at.is_(None)
)


def client_asking(
    session: Session, request: Request, realm: Realm, fields: Mapping[str, str]
) -> tables.ApiClient:
    """The client that sends the request, with or without a secret; raises invalid_client."""
    encoded = _basic(request)
    if encoded is None and "client_id" in fields and "client_secret" not in fields:
        client = find_public_client(session, fields["client_id"])
        if client is not None:
            return client
    return client_with_secret(session, request, realm, fields)


def client_with_secret(
    session: Session, request: Request, realm: Realm, fields: Mapping[str, str]
) -> tables.ApiClient:
    """The client that sends the request, proved by its secret; raises invalid_client."""
    encoded = _basic(request)
    for client_id, secret in _pairs(fields) if encoded is None else _basic_pairs(encoded):
        client = find_client(session, client_id, secret)
        if client is not None:
            return client
    raise GrantRefused(
        "invalid_client",
        "Invalid client or Invalid client credentials",
        status=401,
        # Some clients take any challenge for a failure of the transport, so only users of Basic get one.
        challenge=None if encoded is None else f'Basic realm="{realm.name}"',
    )


def find_login_client(session: Session, client_id: str) -> tables.ApiClient | None:
    """The client with this id, if people may log in through it and it is not revoked."""
    found = session.scalar(_NOT_REVOKED, {"client_id": client_id})
    return found if found is not None and "authorization_code" in found.grants else None


def lock_client(session: Session, client: tables.ApiClient) -> bool:
    """Keep the client's row until a code that points at it is committed; False if it was deleted."""
    row = select(tables.ApiClient.id).where(tables.ApiClient.id == client.id)
    return session.scalar(row.with_for_update(read=True, key_share=True)) is not None


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
    # RFC 6749 form-encodes both parts, many clients send them raw, and DAI's ids contain colons.
    splits = [index for index, character in enumerate(text) if character == ":"][:8]
    for index in splits:
        raw = text[:index], text[index + 1 :]
        for pair in ((unquote_plus(raw[0]), unquote_plus(raw[1])), raw):
            # PostgreSQL refuses NUL, and no id of a client contains it.
            if "\0" not in pair[0]:
                yield pair
