"""`python -m bench.tokens`: how many tokens a second programs get for their secrets, beside the bare signature.

Ends with 1 when it is fewer than the limit.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey

from bench.accounts import make_clients
from bench.load.clients import Asking
from bench.load.connection import request
from bench.load.driving import drive
from bench.servers import serving
from opendai.installation import install
from opendai.resources.api_clients.schemas import ApiClientIn
from opendai.settings import Settings

CONNECTIONS = 8
FEWEST_A_SECOND = 300.0


def main() -> int:
    """The exit code: 0 when tokens are issued quickly enough."""
    parser = argparse.ArgumentParser(prog="python -m bench.tokens", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="opendai-bench-") as name:
        settings = Settings(data_dir=Path(name) / "data", log_format="json")
        install(settings)
        asking = _asking(settings)
        with serving(settings, Path(name)) as server:
            drive(server.address, [(asking, 0)] * CONNECTIONS, 1.0)
            driven = drive(server.address, [(asking, 0)] * CONNECTIONS, seconds)
    issued, signed = driven.rate, _signatures(seconds)
    print(f"{issued:,.0f} tokens a second (at least {FEWEST_A_SECOND:.0f}).")
    print(f"One core signs {signed:,.0f} of them a second: {signed / issued:.1f} times as many.")
    return 0 if issued >= FEWEST_A_SECOND else 1


def _asking(settings: Settings) -> Asking:
    (made,) = make_clients(settings, ApiClientIn(name="bench", role="admin"))
    form = {
        "grant_type": "client_credentials",
        "client_id": made.client_id,
        "client_secret": made.client_secret,
    }
    path = f"/auth/realms/{settings.realm}/protocol/openid-connect/token"
    body, content_type = urlencode(form).encode(), "application/x-www-form-urlencoded"
    return Asking(request("POST", path, body=body, content_type=content_type))


def _signatures(seconds: float) -> float:
    key = RSAKey.generate_key(2048)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        jwt.encode({"alg": "RS256"}, {"sub": "client:1", "exp": 1}, key, algorithms=["RS256"])
        count += 1
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    sys.exit(main())
