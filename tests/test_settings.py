"""Settings that are lists of hosts, networks and origins."""

import ipaddress

import pytest

from opendai.settings import Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_hosts", "http://server"),
        ("allowed_hosts", "server:8000"),
        ("allowed_hosts", "*.example.com"),
        ("allowed_hosts", "server,*"),
        ("allowed_hosts", "a b"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_proxies", "proxy"),
        ("trusted_proxies", "*"),
        ("trusted_proxies", "10.0.0.0/8;fd00::/8"),
        ("cors_origins", "app.example.com"),
        ("cors_origins", "https://app.example.com/"),
        ("cors_origins", "https://*.example.com"),
        ("cors_origins", "https://app.example.com,*"),
        ("cors_origins", "null"),
        ("cors_origins", "https://user@app.example.com"),
        ("cors_origins", "https://App.example.com"),
        ("cors_origins", "file:///tmp"),
    ],
)
def test_a_malformed_list_refuses_to_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"OPENDAI_{name.upper()}", value)
    with pytest.raises(ValueError, match=f"1 validation error.*\n{name}\n.*must be"):
        Settings()


def test_lists_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENDAI_ALLOWED_HOSTS", "Server, other.example ,")
    monkeypatch.setenv("OPENDAI_TRUSTED_PROXIES", "10.0.0.0/8,::1")
    monkeypatch.setenv("OPENDAI_CORS_ORIGINS", "https://app.example.com,http://localhost:3000")
    settings = Settings()
    assert settings.allowed_hosts == ("server", "other.example")
    assert settings.trusted_proxies == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )
    assert settings.cors_origins == ("https://app.example.com", "http://localhost:3000")
