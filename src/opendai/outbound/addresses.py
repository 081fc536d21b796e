"""The addresses that the server may connect to: public ones, unless a setting allows others.

A caller who names a host could otherwise reach services that only the server can reach: on its own machine, in
its network, or in the cloud that it runs in.
"""

import ipaddress
import queue
import socket
import threading
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Self

from opendai.errors import Fault, Forbidden, Invalid, Unavailable
from opendai.outbound import targets

_SAVING_SECONDS = 5.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Networks that Python calls global and that hold no servers: shared and protocol space, and tunnels.
_ODD = [
    ipaddress.ip_network(network)
    for network in (
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "5f00::/16",
    )
]
# Names that have a meaning only inside a network, such as that of a cloud's metadata.
_INWARD = ("localhost", "localdomain", "internal", "local", "home.arpa")


@dataclass(frozen=True, slots=True)
class Allowed:
    """The exceptions beside public addresses: hosts by name, wherever they are, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """From a list with commas: "llm.house.example, 10.0.0.0/8, [fd00::]/8". ValueError names the bad part."""
        hosts, networks = set(), []
        for part in filter(None, (part.strip() for part in text.split(","))):
            network = _network(part)
            if network is not None:
                networks.append(network)
            else:
                hosts.add(_host(part))
        return cls(frozenset(hosts), tuple(networks))

    def has_host(self, host: str) -> bool:
        return host.lower().removesuffix(".") in self.hosts

    def has_address(self, address: str) -> bool:
        """Whether connecting to an address is allowed: it is public, or in a listed network."""
        inner = _inner(_parsed(address))
        return is_public(address) or any(inner in network for network in self.networks)


ANYTHING = Allowed(networks=(ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")))


def is_public(address: str) -> bool:
    """Whether an IP address is public, also behind the IPv6 spelling of an IPv4 address.

    Tunnels (6to4, Teredo) never are, whatever they lead to: no server needs them today.
    """
    inner = _inner(_parsed(address))
    is_odd = any(inner in network for network in _ODD)
    is_site_local = isinstance(inner, IPv6Address) and inner.is_site_local
    return inner.is_global and not (is_odd or is_site_local or inner.is_multicast or inner.is_reserved)


def _parsed(address: str) -> IPv4Address | IPv6Address:
    return ipaddress.ip_address(address.partition("%")[0])


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address if the IPv6 address is only another spelling of it, otherwise the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _network(part: str) -> IPv4Network | IPv6Network | None:
    """The network of "10.0.0.0/8", "10.1.2.3" or "[fd00::]/8"; None for a text that looks like a name."""
    try:
        return ipaddress.ip_network(part.replace("[", "").replace("]", ""))
    except ValueError as error:
        if set("/[]:") & set(part) or literal_addresses(part):
            raise ValueError(f"{part} is neither a host nor a network: write 10.0.0.0/8 or ::1") from error
        return None


def _host(part: str) -> str:
    try:
        return targets.host(part)
    except ValueError as error:
        raise ValueError(f"{part} is neither a host nor a network") from error


def literal_addresses(host: str) -> list[str]:
    """The addresses of a host that is written as a number, in every form that resolvers accept ("127.1")."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        return []
    return [str(entry[4][0]) for entry in found]


def resolve(host: str, port: int, *, allowed: Allowed, seconds: float) -> list[str]:
    """The addresses of a host, looked up exactly once: a second answer could differ.

    Forbidden if one of them is not allowed, and Unavailable if there are none in time.
    """
    addresses = _look_up(host, port, seconds=seconds)
    if not addresses:
        raise Unavailable(f"There is no host {host}.")
    if not allowed.has_host(host) and not all(allowed.has_address(address) for address in addresses):
        raise Forbidden(f"{host} is on a private address, which the settings do not allow.")
    return addresses


def connect(host: str, port: int, *, allowed: Allowed, seconds: float) -> socket.socket:
    """A connection to one of the addresses of a host that were checked, within `seconds` in total.

    Forbidden for an address that is not allowed, and Unavailable if none can be reached.
    """
    end = time.monotonic() + seconds
    reason = "no address"
    for address in resolve(host, port, allowed=allowed, seconds=seconds):
        left = end - time.monotonic()
        if left <= 0:
            raise Unavailable(f"{host}:{port} cannot be reached: timed out.")
        try:
            return _open(address, port, seconds=left)
        except OSError as error:
            reason = error.strerror or str(error)
    raise Unavailable(f"{host}:{port} cannot be reached: {reason}.")


def _open(address: str, port: int, *, seconds: float) -> socket.socket:
    # The function of the library for this would ask the resolver again.
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect((address, port))
    except BaseException:
        connection.close()
        raise
    return connection


def refuse_forbidden(url: str, *, allowed: Allowed, field: str = "url") -> None:
    """Raise Invalid for a URL that can never be called. It is used when a URL is saved.

    A host that is not found is accepted: it may appear later, and each call checks it in the same way.
    """
    try:
        target = targets.Target.parse(url)
    except ValueError as error:
        raise _invalid(field, str(error)) from error
    try:
        resolve(target.host, target.port, allowed=allowed, seconds=_SAVING_SECONDS)
    except Forbidden as error:
        raise _invalid(field, "names a private address, which the settings do not allow") from error
    except Unavailable as error:
        # A listed network may hold it when it is found.
        if _is_inward(target.host) and not allowed.has_host(target.host) and not allowed.networks:
            raise _invalid(field, "names a private host, which the settings do not allow") from error


def _is_inward(host: str) -> bool:
    return ("." not in host and ":" not in host) or host.endswith(tuple(f".{name}" for name in _INWARD))


def _invalid(field: str, problem: str) -> Invalid:
    return Invalid(f"{field}: {problem}", faults=[Fault(field, problem)])


def _look_up(host: str, port: int, *, seconds: float) -> list[str]:
    """The addresses of a host, or none. The resolver has no deadline, so its thread is abandoned after ours."""
    answers: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_ask(host, port)), name="lookup", daemon=True).start()
    try:
        return answers.get(timeout=max(seconds, 0.0))
    except queue.Empty:
        return []


def _ask(host: str, port: int) -> list[str]:
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))
