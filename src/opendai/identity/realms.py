"""The realm in an address. A server has one."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Path

from opendai.errors import NotFound
from opendai.parts import PartsDep


@dataclass(frozen=True, slots=True)
class Realm:
    """`url` is the issuer of its tokens. It comes from the settings, never from the Host header."""

    name: str
    url: str

    @property
    def openid(self) -> str:
        return f"{self.url}/protocol/openid-connect"

    @property
    def path(self) -> str:
        """The path that browsers see, also behind a proxy that removes a part of it."""
        return urlsplit(self.url).path

    @property
    def is_secure(self) -> bool:
        return self.url.startswith("https:")


# The pattern is for the OpenAPI document only: any other name is answered 404 as well.
_Name = Annotated[str, Path(json_schema_extra={"pattern": "^[A-Za-z0-9_-]{1,64}$"})]


async def _realm(realm: _Name, parts: PartsDep) -> Realm:
    if realm != parts.settings.realm:
        raise NotFound("There is no such realm.")
    return Realm(realm, parts.tokens.issuer)


RealmDep = Annotated[Realm, Depends(_realm)]
# For operations that only need the right realm in their address.
IN_THIS_REALM = Depends(_realm)
