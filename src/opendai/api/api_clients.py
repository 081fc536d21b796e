"""API clients, where DAI has a service of that name. Errors are worded as those under /ai."""

from opendai.api.dialect import Family
from opendai.api.refusals import message, message_schema
from opendai.resources.api_clients import routes as api_client_routes
from opendai.settings import Settings

PREFIX = "/api_clients"


def create(settings: Settings) -> Family:
    return Family(
        "opendai: API clients",
        [api_client_routes.router],
        prefix=PREFIX,
        body=message,
        refusal=message_schema,
        invalid=400,
        max_body_bytes=settings.max_body_bytes,
    )
