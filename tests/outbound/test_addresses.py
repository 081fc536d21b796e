"""Which addresses the server may connect to."""

import socket
import threading
import time
from typing import Any

import pytest

from opendai.errors import Forbidden, Invalid, Unavailable
from opendai.outbound.addresses import ANYTHING, Allowed, is_public, refuse_forbidden, resolve
from opendai.outbound.targets import Target
from tests.outbound.spellings import FORBIDDEN_HOSTS, FORBIDDEN_URLS

NOTHING = Allowed()


def answering(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name have these addresses; returns the names that are asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: Any, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def knowing_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no name be found, as where there is no name server; numbers are read as ever."""
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *given: Any, **options: Any) -> Any:
        flags = options.pop("flags", 0) | socket.AI_NUMERICHOST
        return real(host, *given, **{**options, "flags": flags})

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("192.0.0.8", False),
        ("192.88.99.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("5f00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("2002:5db8:d70e::", False),
        ("2001:0:1::1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS)
def test_a_url_with_a_forbidden_host_cannot_be_saved(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid, match=r"^url: ") as refusal:
        refuse_forbidden(f"http://{host}:8080/v1", allowed=NOTHING)
    assert refusal.value.faults[0].field == "url"
    knowing_no_name(monkeypatch)
    with pytest.raises(Invalid):
        refuse_forbidden(f"https://{host}/", allowed=NOTHING)


@pytest.mark.parametrize("url", FORBIDDEN_URLS)
def test_a_url_of_another_kind_cannot_be_saved(url: str) -> None:
    with pytest.raises(Invalid, match=r"^url: "):
        refuse_forbidden(url, allowed=ANYTHING)


@pytest.mark.parametrize(
    ("url", "address", "authority", "path"),
    [
        ("http://93.184.215.14", "93.184.215.14:80", "93.184.215.14", "/"),
        ("HTTPS://Example.COM./a?b=c", "example.com:443", "example.com", "/a?b=c"),
        ("https://example.com:8443?b", "example.com:8443", "example.com:8443", "/?b"),
        ("http://[2606:4700::1111]:81/%2e", "[2606:4700::1111]:81", "[2606:4700::1111]:81", "/%2e"),
        ("http://[2606:4700:0::1111]/@", "[2606:4700::1111]:80", "[2606:4700::1111]", "/@"),
        ("https://llm_1.xn--bcher-kva.example/v1", "llm_1.xn--bcher-kva.example:443", None, "/v1"),
    ],
)
def test_a_url_is_taken_apart_once(
    url: str, address: str, authority: str | None, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target.parse(url)
    assert (target.address, target.path) == (address, path)
    assert target.authority == (authority or target.host)
    knowing_no_name(monkeypatch)
    refuse_forbidden(url, allowed=NOTHING)


def test_a_name_with_one_forbidden_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, "93.184.215.14", "10.0.0.1")
    with pytest.raises(Forbidden, match=r"^llm\.example is on a private address, which the settings do not"):
        resolve("llm.example", 80, allowed=NOTHING, seconds=1)
    with pytest.raises(Invalid, match="names a private address"):
        refuse_forbidden("https://llm.example", allowed=NOTHING)
    assert asked == ["llm.example"] * 2


@pytest.mark.parametrize(
    "allowed",
    [
        "llm.example",
        "LLM.Example.",
        "other.example, 10.0.0.0/8",
        "10.0.0.1",
        "[::]/0,0.0.0.0/0",
        "10.0.0.1/32",
    ],
)
def test_a_host_or_its_network_can_be_allowed(allowed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Allowed.parse(allowed)
    answering(monkeypatch, "10.0.0.1", "93.184.215.14")
    assert resolve("llm.example", 80, allowed=known, seconds=1) == ["10.0.0.1", "93.184.215.14"]
    refuse_forbidden("http://llm.example", allowed=known)


@pytest.mark.parametrize(
    "allowed", ["example", "sub.llm.example", "10.0.0.2", "fd00::/8", "127.0.0.0/8", ","]
)
def test_what_is_allowed_is_that_and_no_more(allowed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Allowed.parse(allowed)
    answering(monkeypatch, "10.0.0.1")
    with pytest.raises(Forbidden):
        resolve("llm.example", 80, allowed=known, seconds=1)


def test_an_allowed_network_holds_other_spellings_of_its_addresses() -> None:
    known = Allowed.parse("10.0.0.0/8, [fd00::]/8, localhost")
    assert known.has_address("::ffff:10.0.0.1")
    assert known.has_address("fd12::1")
    assert not known.has_address("::ffff:192.168.0.1")
    assert not known.has_address("127.0.0.1")
    refuse_forbidden("http://10.1:8080/", allowed=known)
    refuse_forbidden("http://localhost:8080/", allowed=known)


@pytest.mark.parametrize(
    "part",
    [
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.1",
        "0x7f000001",
        "fd00::/129",
        "http://llm.example",
        "a b",
        "llm:80",
        "ä.de",
    ],
)
def test_a_list_with_a_bad_part_names_it(part: str) -> None:
    with pytest.raises(ValueError, match="is neither a host nor a network") as refusal:
        Allowed.parse(f"llm.example, {part}")
    assert str(refusal.value).startswith(f"{part} is neither")


def test_a_name_that_is_not_found_can_be_saved_unless_only_a_network_could_know_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    knowing_no_name(monkeypatch)
    refuse_forbidden("https://llm.example", allowed=NOTHING)
    with pytest.raises(Invalid, match="names a private host"):
        refuse_forbidden("https://llm.internal", allowed=NOTHING)
    refuse_forbidden("https://llm.internal", allowed=Allowed.parse("llm.internal"))
    refuse_forbidden("https://llm.internal", allowed=Allowed.parse("10.0.0.0/8"))
    with pytest.raises(Unavailable, match=r"There is no host llm\.example\."):
        resolve("llm.example", 80, allowed=NOTHING, seconds=1)


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_options: is_over.wait(10) and [])
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        resolve("llm.example", 80, allowed=NOTHING, seconds=0.05)
    assert time.monotonic() - begun < 0.5
    is_over.set()
