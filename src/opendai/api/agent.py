"""The agents' own protocol; docs/agents.md is its page. Errors are worded as the execution service words them."""

from opendai.api.dialect import Family
from opendai.api.refusals import detail, detail_schema
from opendai.resources.executions.agents import routes
from opendai.settings import Settings

PREFIX = "/agent_service/api/v1"


def create(settings: Settings) -> Family:
    return Family(
        "opendai: agent service",
        [routes.router],
        prefix=PREFIX,
        body=detail,
        refusal=detail_schema,
        invalid=422,
        max_body_bytes=settings.max_body_bytes,
    )
