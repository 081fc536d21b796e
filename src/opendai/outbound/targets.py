"""The target of a URL. The URL is parsed once, so that the checked host is the one that is called."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self

_URL = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::(.*))?", re.DOTALL)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# The characters that the line of a request may hold: printable ASCII without the space.
_PATH = re.compile(r"[!-~]*")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """A host to call, in lower case and without a dot at its end, and the path to request."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """ValueError gives the fault as the rest of a sentence about the URL."""
        parts = _URL.fullmatch(url)
        if parts is None:
            raise ValueError("must begin with http:// or https://")
        scheme, authority, path = parts[1].lower(), parts[2], parts[3]
        if "@" in authority:
            raise ValueError("must not hold a username or a password")
        if "#" in path:
            raise ValueError("must not hold a fragment")
        if "\\" in path or not _PATH.fullmatch(path):
            raise ValueError("must be printable ASCII, with everything else percent-encoded")
        place = _AUTHORITY.fullmatch(authority)
        if place is None:
            raise ValueError("must name a host")
        port = _PORTS[scheme] if place[2] is None else _port(place[2])
        return cls(scheme, host(place[1]), port, path if path.startswith("/") else f"/{path}")

    @property
    def origin(self) -> tuple[str, str, int]:
        """The receiver of a secret that was set for one URL."""
        return self.scheme, self.host, self.port

    @property
    def address(self) -> str:
        """The host and the port, as sentences name them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def authority(self) -> str:
        """The value of the Host header: the port only if it is not the usual one."""
        return self.address.removesuffix(f":{_PORTS[self.scheme]}")


def host(text: str) -> str:
    """The host in the form that is compared and looked up; ValueError if it is neither a name nor an address.

    Other scripts are refused: libraries convert them differently, and some turn digits in circles into an
    address.
    """
    if text.startswith("["):
        return str(ipaddress.IPv6Address(_without_zone(text[1:-1])))
    name = text.lower().removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise ValueError("must name a host in letters, digits, hyphens and dots (xn-- for other scripts)")
    return name


def _without_zone(address: str) -> str:
    # A zone is a network interface of this machine, so it has no meaning elsewhere.
    if "%" in address:
        raise ValueError("must not name a zone")
    return address


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or not 1 <= int(text) <= 65_535:
        raise ValueError("must have a port from 1 to 65535")
    return int(text)
