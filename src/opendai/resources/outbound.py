"""Where this server may connect to: public addresses, unless a setting allows others.

Whoever may name a host for the server to call could otherwise reach what only the server can: services on its
own machine, in its network, or of the cloud it runs in.
"""

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address

from opendai.errors import Forbidden, Unavailable

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# What Python calls global and nobody's mail server lives in: shared and protocol space, and tunnels to anywhere.
_ODD = [
    ipaddress.ip_network(network)
    for network in ("100.64.0.0/10", "192.0.0.0/24", "64:ff9b:1::/48", "2001::/32", "2002::/16", "5f00::/16")
]


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody may reach, also behind the IPv6 spelling of an IPv4 address."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if parsed in _NAT64:
            return is_public(str(IPv4Address(int(parsed) & 0xFFFFFFFF)))
        if parsed.is_site_local:
            return False
    is_odd = any(parsed in network for network in _ODD)
    return parsed.is_global and not (is_odd or parsed.is_multicast or parsed.is_reserved)


def literal_addresses(host: str) -> list[str]:
    """The addresses of a host that is written as a number, in any of the ways that are understood ("127.1")."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []
    return [str(entry[4][0]) for entry in found]


def connect(host: str, port: int, *, timeout: float, allow_private: bool) -> socket.socket:
    """A connection to a host, to one of the very addresses that were checked; a name is looked up only once.

    Raises Forbidden for an address that is not public, and Unavailable when none can be reached.
    """
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"There is no host {host}.") from error
    addresses = [str(entry[4][0]) for entry in entries]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise Forbidden(f"{host} is on a private address, which the settings do not allow.")
    reason = "no address"
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            reason = error.strerror or str(error)
    raise Unavailable(f"{host}:{port} cannot be reached: {reason}.")
