"""The operations beside /ai: each works once, and what it takes and answers is the example on its page."""

import pytest

from opendai.api.server import Server
from tests.contract import examples
from tests.contract.answers import served
from tests.contract.beside_ai import REQUESTS
from tests.contract.published import matches
from tests.contract.world import World


def test_every_operation_beside_ai_has_a_request(app: Server) -> None:
    prefixes = (
        "/execution_service/api/v1",
        "/agent_service/api/v1",
        "/auth",
        "/api/rest/latest",
        "/api_clients",
        "/api/v2",
    )
    assert {name for prefix in prefixes for name in served(app, prefix)} == set(REQUESTS)


@pytest.mark.parametrize("name", REQUESTS)
def test_the_operation_works_as_its_page_shows(name: str, world: World) -> None:
    response = REQUESTS[name](world)
    assert matches(name, response.request.method, response.request.url.path)
    assert response.status_code in {200, 201, 202, 204, 303}, response.text
    examples.check(name, response)
