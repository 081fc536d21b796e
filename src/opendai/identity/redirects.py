"""The addresses that a browser may be sent to: those that are registered, compared exactly (RFC 9700, 2.1)."""

import re
from urllib.parse import quote, urlencode, urlsplit

from opendai import tables

# No user, no fragment, no backslash, and a host that a policy header can name. Browsers are sent nowhere else,
# whatever is in the table.
_WEB = re.compile(
    r"https?://(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?][!$-;=?-\[\]_a-z~]*)?"
)
# The scheme of an app is a reversed domain name (RFC 8252, 7.1), and no scheme that runs scripts has that form.
_APP = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:/[!$-;=?-\[\]_a-z~]*")
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?((?:[/?].*)?)")
_USUAL_PORTS = {"http": 80, "https": 443}


def is_registered(client: tables.ApiClient, uri: str) -> bool:
    """Whether the client may have browsers sent to this address."""
    if not (_WEB.fullmatch(uri) or _APP.fullmatch(uri)):
        return False
    return uri in client.redirect_uris or _without_port(uri) in map(_without_port, client.redirect_uris)


def _without_port(uri: str) -> str:
    # A program on a person's own machine listens on any free port (RFC 8252, 7.3).
    found = _LOOPBACK.fullmatch(uri)
    return f"{found[1]}:*{found[3]}" if found and int(found[2] or 80) in range(1, 65_536) else uri


def is_origin_of(client: tables.ApiClient, origin: str) -> bool:
    """Whether a page of this origin belongs to the client."""
    registered = [uri for uri in client.redirect_uris if _WEB.fullmatch(uri)]
    origins = {_origin(uri) for uri in registered}
    loopback = {_without_port(_origin(uri)) for uri in registered if _LOOPBACK.fullmatch(uri)}
    return origin in origins or _without_port(origin) in loopback


def with_parameters(uri: str, parameters: dict[str, str], *, mode: str) -> str:
    """The address with the parameters in its query or its fragment."""
    text = urlencode(parameters, quote_via=quote)
    if not text:
        return uri
    if mode == "fragment":
        return f"{uri}#{text}"
    return f"{uri}{'&' if '?' in uri else '?'}{text}"


def policy_source(uri: str) -> str:
    """The address as a source of a Content-Security-Policy, which cannot name a host in brackets."""
    parsed = urlsplit(uri)
    if parsed.scheme not in _USUAL_PORTS or "[" in parsed.netloc:
        return f"{parsed.scheme}:"
    return _origin(uri)


def _origin(uri: str) -> str:
    """The origin as browsers write it."""
    parsed = urlsplit(uri)
    host = parsed.hostname or ""
    name = f"[{host}]" if ":" in host else host
    try:
        port = parsed.port
    except ValueError:
        # The port is out of range, so no origin has it.
        return ""
    is_usual = port is None or port == _USUAL_PORTS[parsed.scheme]
    return f"{parsed.scheme}://{name}" if is_usual else f"{parsed.scheme}://{name}:{port}"
