"""AI servers as clients read and write them: bodies in, and resources with links out."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PlainSerializer

from opendai import tables
from opendai.resources.ai_servers.paging import Paging, linked_pages, pages_of, query_of
from opendai.resources.ai_servers.paths import LONGEST, parse_path
from opendai.tables.columns import now
from opendai.wire.inputs import Input, Line, Text

PREFIX = "/api/rest/latest"
CREDENTIALS_TYPE = "token-auth-credentials"
# They name the kind of the server, and there is only one kind.
CONSTANTS = {"authentication_policy": "APP_LEVEL", "authentication_protocol": "TOKEN_AUTH"}
# The fields of the wire, and the columns that hold them.
COLUMNS = {
    "name": "name",
    "url": "url",
    "description": "description",
    "payload_template": "payload_template",
    "json_path": "json_path",
    "authentication_header": "authentication_header",
    "authentication_scheme": "authentication_scheme",
    "timeout_seconds": "timeout_seconds",
    "created_by": "created_by",
    "created_on": "created_at",
    "last_modified_by": "last_modified_by",
    "last_modified_on": "last_modified_at",
}
# Published fields are always there.
_NULLABLE = {"description", "payload_template", "json_path"}

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# The transport sets these itself: another value would change the body, or where it ends.
_RESERVED = re.compile(
    r"host|connection|te|trailer|upgrade|expect|cookie|accept-encoding|keep-alive|transfer-.*|content-.*|proxy-.*",
    re.IGNORECASE,
)


def _trimmed(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _is_path(value: str) -> str:
    parse_path(value)
    return value


def _is_header(value: str) -> str:
    if not _HEADER.fullmatch(value) or _RESERVED.fullmatch(value):
        raise ValueError("must be the name of a header that the transport does not set itself")
    return value


def _is_word(value: str) -> str:
    if value and not _HEADER.fullmatch(value):
        raise ValueError("must be one word, such as Bearer, or empty")
    return value


def _is_ascii(value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise ValueError("must be printable ASCII, as headers are")
    return value


Title = Annotated[Line, Field(min_length=1, max_length=50), BeforeValidator(_trimmed)]
Url = Annotated[Line, Field(min_length=1), BeforeValidator(_trimmed)]
JsonPath = Annotated[str, AfterValidator(_is_path), Field(max_length=LONGEST), BeforeValidator(_trimmed)]
Header = Annotated[str, AfterValidator(_is_header), Field(max_length=64)]
Scheme = Annotated[str, AfterValidator(_is_word), Field(max_length=64)]
Token = Annotated[
    str, AfterValidator(_is_ascii), Field(max_length=4096, repr=False), BeforeValidator(_trimmed)
]
Seconds = Annotated[int, Field(ge=1, le=300, strict=True)]
# Milliseconds, and the offset in figures: known clients parse it with a fixed format.
Stamp = Annotated[
    datetime, PlainSerializer(lambda moment: moment.isoformat(timespec="milliseconds"), return_type=str)
]


class AiServerPatch(Input):
    """The fields that may change: a field that is left out stays as it is, and null unsets an optional field."""

    # The defaults are never stored, because only fields that were sent are read.
    name: Title = Field(default_factory=str)
    url: Url = Field(default_factory=str)
    description: Text | None = None
    payload_template: Text | None = None
    json_path: JsonPath | None = None
    authentication_header: Header | None = None
    authentication_scheme: Scheme | None = None
    timeout_seconds: Seconds | None = None


class AiServerIn(AiServerPatch):
    """Only the name and the address are required."""

    name: Title
    url: Url


class CredentialsIn(Input):
    """A blank token deletes the stored one."""

    type: Literal["token-auth-credentials"] = Field("token-auth-credentials", alias="_type")
    token: Token


class LinkOut(BaseModel):
    href: str


class LinksOut(BaseModel):
    """Links by their relation. Only pages have links other than `self`."""

    first: LinkOut | None = None
    prev: LinkOut | None = None
    this: LinkOut = Field(alias="self")
    next: LinkOut | None = None
    last: LinkOut | None = None


class AiServerOut(BaseModel):
    """An AI server. Only the fields that `fields` names are set, and the extensions only if they have a value."""

    id: int
    name: str = ""
    url: str = ""
    description: str | None = None
    payload_template: str | None = None
    json_path: str | None = None
    authentication_policy: str = ""
    authentication_protocol: str = ""
    authentication_header: str = ""
    authentication_scheme: str = ""
    timeout_seconds: int = 0
    created_by: str = ""
    created_on: Stamp = Field(default_factory=now)
    last_modified_by: str = ""
    last_modified_on: Stamp = Field(default_factory=now)
    links: LinksOut = Field(alias="_links")


class EmbeddedOut(BaseModel):
    servers: list[AiServerOut] = Field(alias="ai-servers")


class PageOut(BaseModel):
    size: int
    total_elements: int = Field(alias="totalElements")
    total_pages: int = Field(alias="totalPages")
    number: int


class AiServersOut(BaseModel):
    """A page of AI servers; an empty page has no `_embedded`."""

    embedded: EmbeddedOut | None = Field(None, alias="_embedded")
    links: LinksOut = Field(alias="_links")
    page: PageOut


class CredentialsOut(BaseModel):
    """The answer that there are credentials. They are never shown."""

    type: Literal["token-auth-credentials"] = Field(alias="_type")
    links: LinksOut = Field(alias="_links")


async def _fields(
    fields: Annotated[str, Query(description="Names with commas between them; all when it is empty.")] = "",
) -> frozenset[str]:
    return frozenset(name.strip() for name in fields.split(",") if name.strip())


FieldsDep = Annotated[frozenset[str], Depends(_fields)]


class Writer:
    """Writes resources with the requested fields, and with links that begin with the server's public address."""

    def __init__(self, public_url: str, fields: Collection[str] = ()) -> None:
        self._list = f"{public_url}{PREFIX}/ai-servers"
        self._fields = fields

    def server(self, row: tables.AiServer) -> AiServerOut:
        values = {field: getattr(row, column) for field, column in COLUMNS.items()}
        shown = {
            field: value
            for field, value in (values | CONSTANTS).items()
            if (value is not None or field in _NULLABLE) and (not self._fields or field in self._fields)
        }
        return AiServerOut.model_validate({**shown, "id": row.id, "_links": _self(f"{self._list}/{row.id}")})

    def credentials(self, server_id: int) -> CredentialsOut:
        links = _self(f"{self._list}/{server_id}/credentials")
        return CredentialsOut.model_validate({"_type": CREDENTIALS_TYPE, "_links": links})

    def page(self, rows: Sequence[tables.AiServer], paging: Paging, *, total: int) -> AiServersOut:
        links = {
            relation: {"href": f"{self._list}?{query_of(paging, number)}"}
            for relation, number in linked_pages(paging, total).items()
        }
        page = {
            "size": paging.size,
            "totalElements": total,
            "totalPages": pages_of(total, paging.size),
            "number": paging.number,
        }
        embedded = {"_embedded": {"ai-servers": [self.server(row) for row in rows]}} if rows else {}
        return AiServersOut.model_validate({**embedded, "_links": links, "page": page})


def _self(href: str) -> dict[str, dict[str, str]]:
    return {"self": {"href": href}}
