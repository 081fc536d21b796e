"""Executions as DAI 6.5 and later publish them. Errors are {"detail"}, and bad input is 422 as FastAPI words it."""

from opendai.api.dialect import Family
from opendai.api.refusals import detail, detail_schema
from opendai.resources.executions import routes
from opendai.settings import Settings

PREFIX = "/execution_service/api/v1"


def create(settings: Settings) -> Family:
    return Family(
        "opendai: execution service",
        [routes.router],
        prefix=PREFIX,
        body=detail,
        refusal=detail_schema,
        invalid=422,
        max_body_bytes=settings.max_body_bytes,
    )
