"""The address of a caller, behind the proxies that the settings trust."""

import ipaddress
import re
from collections.abc import Iterable, Sequence

from fastapi import Request

from opendai.parts import parts_of

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Some proxies write the port as well.
_WITH_PORT = re.compile(r"(?P<four>[0-9.]+):[0-9]{1,5}|\[(?P<six>[0-9A-Fa-f:.]+)\](:[0-9]{1,5})?")


def client_address(request: Request) -> str | None:
    """The address of the caller; None if the connection has none, such as a Unix socket."""
    if request.client is None:
        return None
    trusted = parts_of(request).settings.trusted_proxies
    # Without a proxy anyone can write the header, so it is not read.
    forwarded = request.headers.getlist("x-forwarded-for") if trusted else []
    address = first_untrusted(request.client.host, forwarded, trusted)
    return str(address) if address else None


def first_untrusted(peer: str, forwarded: Iterable[str], trusted: Sequence[Network]) -> Address | None:
    """The last hop that no trusted proxy has written down for another one.

    The list is read from right to left, because every proxy appends the address of its own caller. A client can
    invent every entry to the left of the first hop that is not trusted.
    """
    hop = _parse(peer)
    for entry in reversed(",".join(forwarded).split(",")):
        if hop is None or not any(hop in network for network in trusted):
            break
        before = _parse(entry.strip())
        if before is None:
            break
        hop = before
    return hop


def network_of(address: str) -> str:
    """The network that is counted as one place: a customer is given a whole /64 of IPv6."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return f"{parsed}/32"
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))


def _parse(text: str) -> Address | None:
    with_port = _WITH_PORT.fullmatch(text)
    if with_port:
        text = with_port["four"] or with_port["six"]
    try:
        # The text behind the percent sign names an interface of one machine, or is any text at all.
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
