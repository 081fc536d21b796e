"""API clients as administrators write and read them."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from opendai import tables
from opendai.wire.inputs import Input, Line, Output, Text, Timestamp
from opendai.wire.redirect_uris import RedirectUris

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")
_CLIENT_ID = re.compile(r"[\x21-\x7e]{1,255}")


def _is_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(
            "must be 1 to 100 letters, digits, spaces, dots, dashes and underscores, a letter or digit first"
        )
    return value


def _is_client_id(value: str) -> str:
    if not _CLIENT_ID.fullmatch(value):
        raise ValueError("must be 1 to 255 printable ASCII characters without spaces")
    return value


ClientName = Annotated[Line, AfterValidator(_is_name)]
ClientId = Annotated[str, AfterValidator(_is_client_id)]
Description = Annotated[Text, Field(max_length=1000)]
Role = Literal["admin", "agent", "login"]
Grant = Literal["client_credentials", "password", "authorization_code", "refresh_token"]


class ApiClientIn(Input):
    """Only the name is required. The default id is made from the name; the default grants are those of the role.

    A public client has no secret: it is a program through which people log in, and which cannot keep a secret.
    """

    name: ClientName
    description: Description = ""
    role: Role = "admin"
    grants: Annotated[list[Grant], Field(min_length=1, max_length=10)] | None = None
    client_id: ClientId | None = None
    redirect_uris: RedirectUris = []
    is_public: bool = False


class ApiClientPatch(Input):
    """The fields that may change; a field that is left out or null stays as it is."""

    name: ClientName | None = None
    description: Description | None = None
    redirect_uris: RedirectUris | None = None


class ApiClientOut(Output):
    """`revoked` is the moment from which the client is refused."""

    id: int
    client_id: str
    name: str
    description: str
    role: str
    grants: list[str]
    redirect_uris: list[str]
    is_public: bool
    created_at: Timestamp = Field(serialization_alias="created")
    revoked_at: Timestamp | None = Field(serialization_alias="revoked")

    @classmethod
    def of(cls, client: tables.ApiClient, **others: object) -> Self:
        names = cls.model_fields.keys() - others.keys() - {"is_public"}
        values = {name: getattr(client, name) for name in names}
        return cls.model_validate({**values, **others, "is_public": client.secret_sha256 is None})


class ApiClientsOut(Output):
    items: list[ApiClientOut]
    total_count: int
    date_as_of: Timestamp


class IssuedOut(ApiClientOut):
    """An API client with its secret, which is shown this once; a public client has none."""

    client_secret: str | None
    token_url: str
