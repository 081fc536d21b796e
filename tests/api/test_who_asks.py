"""Who asks, behind proxies or not."""

import ipaddress
from collections.abc import Callable

import pytest
import structlog
from structlog.testing import LogCapture

from opendai.auth.addresses import first_untrusted
from tests.inprocess import TestClient

PROXIES = tuple(ipaddress.ip_network(network) for network in ("10.0.0.0/8", "fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["6.6.6.6"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", ["10.0.0.3,10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["6.6.6.6, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["6.6.6.6, , 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7:4711"], "203.0.113.7"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", ["[2001:db8::7]"], "2001:db8::7"),
        ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", ["2001:db8::7%<script>"], "2001:db8::7"),
        ("10.0.0.1", ["203.0.113.07"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7\x00"], "10.0.0.1"),
        ("10.0.0.1", ["1" * 5000], "10.0.0.1"),
        ("10.0.0.1", [",".join(["6.6.6.6"] * 2000)], "6.6.6.6"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.7"], "203.0.113.7"),
        ("fd00::1", ["203.0.113.7"], "203.0.113.7"),
        ("fe80::1%eth0", ["203.0.113.7"], "fe80::1"),
        ("testclient", ["203.0.113.7"], None),
    ],
)
def test_the_first_hop_that_is_not_trusted_counts(
    peer: str, forwarded: list[str], address: str | None
) -> None:
    found = first_untrusted(peer, forwarded, PROXIES)
    assert (str(found) if found else None) == address


@pytest.mark.parametrize(
    ("proxies", "address"), [("", "10.0.0.1"), ("10.0.0.0/8", "203.0.113.7"), ("10.9.0.0/16", "10.0.0.1")]
)
def test_the_log_names_who_asked(
    asking: Callable[..., TestClient], proxies: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LogCapture()
    logger = structlog.wrap_logger(structlog.PrintLogger(), processors=[log])
    monkeypatch.setattr("opendai.api.requests._log", logger)
    client = asking(peer="10.0.0.1", trusted_proxies=proxies)
    client.get("/healthz", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.7"})
    assert [entry["address"] for entry in log.entries] == [address]
