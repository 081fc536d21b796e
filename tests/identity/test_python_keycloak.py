"""python-keycloak, which takes the server for a Keycloak."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from jwcrypto.jwk import JWK
from keycloak import KeycloakOpenID
from keycloak.exceptions import KeycloakAuthenticationError, KeycloakPostError
from keycloak.pkce_utils import generate_code_challenge, generate_code_verifier

from opendai.resources.api_clients import Credentials
from tests.conftest import PASSWORD
from tests.identity.provider import Provider, parameters_of

BACK = "https://portal.example/back"
LOGINS = ["authorization_code", "password", "refresh_token"]


@contextmanager
def connected(provider: Provider, credentials: Credentials) -> Iterator[KeycloakOpenID]:
    made = KeycloakOpenID(
        server_url=f"{provider.url}/",
        realm_name="eggplant",
        client_id=credentials.client_id,
        client_secret_key=credentials.client_secret or None,
    )
    yield made
