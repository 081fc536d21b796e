"""A server that takes the tokens of an outside identity provider."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from opendai.api.server import Server
from opendai.database import Database
from opendai.resources.accounts.outside_users import outside_provider
from opendai.settings import Settings
from tests.arranging.parts import replaced
from tests.credentials.outside.provider import EC, RSA, Provider, TokenOf, Use, bearer, providing, sign
from tests.inprocess import TestClient


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as running:
        running.publish(RSA, EC)
        yield running


@pytest.fixture
def use(
    client: TestClient, app: Server, settings: Settings, database: Database, provider: Provider
) -> Iterator[Use]:
    """Let the server take the provider's tokens, by these settings."""
    with contextlib.ExitStack() as stack:

        def begin(**chosen: Any) -> None:
            wanted = settings.model_copy(update={"oidc_issuer": provider.issuer, **chosen})
            stack.enter_context(replaced(app, outside=outside_provider(wanted, database)))

        begin()
        yield begin


@pytest.fixture
def token(use: Use, provider: Provider) -> TokenOf:
    """A good token's header, with other claims where they are given."""
    return lambda username, *roles, **others: bearer(sign(provider.claims(username, *roles, **others), RSA))
