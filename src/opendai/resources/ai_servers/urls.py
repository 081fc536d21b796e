"""Where an AI server may be: a public address, or one that the settings allow."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from opendai.errors import Invalid
from opendai.resources.outbound import is_public, literal_addresses

_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PRINTABLE = re.compile(r"[!-~]+")


def check_url(url: str, allowed: str) -> None:
    """Raise Invalid for what is no http(s) address, or one that the server must not call.

    `allowed` is the setting. A name is looked up when the server is called, not here.
    """
    host = _parsed(url).hostname or ""
    addresses = literal_addresses(host)
    is_local = host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost")
    if (is_local or not all(map(is_public, addresses))) and not _is_allowed(host, addresses, allowed):
        raise Invalid("is on a private address, which the settings do not allow")


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address that was checked: whom a token may be sent to."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in _PORTS and parts.port != 0 and not parts.fragment
    except ValueError:
        is_whole = False
    if not is_whole or not _PRINTABLE.fullmatch(url) or not _AUTHORITY.fullmatch(parts.netloc):
        raise Invalid("must be an http or https address without a username and a fragment")
    return parts


def _is_allowed(host: str, addresses: list[str], allowed: str) -> bool:
    entries = [entry.strip().lower() for entry in allowed.split(",") if entry.strip()]
    networks = [network for network in map(_network, entries) if network]
    parsed = [ipaddress.ip_address(address.partition("%")[0]) for address in addresses]
    is_inside = all(any(address in network for network in networks) for address in parsed)
    return host in entries or bool(parsed and is_inside)


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return None
