"""The realm that an address names: there is one."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Path

from opendai.errors import NotFound
from opendai.parts import PartsDep


@dataclass(frozen=True, slots=True)
class Realm:
    """`url` is the issuer of its tokens, by the setting and never by what a request says of the host."""

    name: str
    url: str

    @property
    def openid(self) -> str:
        return f"{self.url}/protocol/openid-connect"

    @property
    def path(self) -> str:
        """Where it is for a browser, also behind a proxy that takes a part of the path away."""
        return urlsplit(self.url).path

    @property
    def is_secure(self) -> bool:
        return self.url.startswith("https:")


# Said to programs alone: whatever else is asked for does not exist either.
_Name = Annotated[str, Path(json_schema_extra={"pattern": "^[A-Za-z0-9_-]{1,64}$"})]


async def _realm(realm: _Name, parts: PartsDep) -> Realm:
    if realm != parts.settings.realm:
        raise NotFound("There is no such realm.")
    return Realm(realm, parts.tokens.issuer)


RealmDep = Annotated[Realm, Depends(_realm)]
# For operations that need nothing of the realm but that the address names it.
IN_THIS_REALM = Depends(_realm)
