"""A server that takes the tokens of an outside identity provider."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from opendai.database import Database
from opendai.resources.accounts.outside_users import outside_provider
from opendai.settings import Settings
from tests.credentials.outside.provider import EC, RSA, Provider, TokenOf, Use, bearer, providing, sign
from tests.inprocess import TestClient


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as running:
        running.publish(RSA, EC)
        yield running


@pytest.fixture
def use(
    client: TestClient, app: FastAPI, settings: Settings, database: Database, provider: Provider
) -> Iterator[Use]:
    """Let the server take the provider's tokens, by these settings."""
    applications = [app, *(route.app for route in app.routes if isinstance(route, Mount))]

    def begin(**chosen: Any) -> None:
        wanted = settings.model_copy(update={"oidc_issuer": provider.issuer, **chosen})
        outside = outside_provider(wanted, database)
        for application in applications:
            application.state.outside = outside

    begin()
    yield begin
    for application in applications:
        application.state.outside = None


@pytest.fixture
def token(use: Use, provider: Provider) -> TokenOf:
    """A good token's header, with other claims where they are given."""
    return lambda username, *roles, **others: bearer(sign(provider.claims(username, *roles, **others), RSA))
