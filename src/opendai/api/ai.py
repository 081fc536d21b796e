"""DAI 5.2: everything under /ai. Errors are {"message", "errors"} and bad input is 400."""

from typing import Any

from opendai.api.dialect import Family, Refusal, build
from opendai.resources import (
    agents,
    assets,
    coverage,
    coverage_models,
    groups,
    licenses,
    login_checks,
    model_agents,
    models,
    runlogs,
    runs,
    screenshots,
    sessions,
    smtp,
    status,
    tags,
    testcases,
    users,
)
from opendai.settings import Settings

PREFIX = "/ai"


def create(settings: Settings) -> Family:
    return build(
        "opendai: DAI 5.2 API",
        [
            sessions.router,
            login_checks.router,
            users.router,
            groups.router,
            status.router,
            licenses.router,
            smtp.router,
            agents.router,
            models.router,
            model_agents.router,
            tags.router,
            assets.router,
            testcases.router,
            runs.router,
            runlogs.router,
            screenshots.router,
            coverage.router,
            coverage_models.router,
        ],
        body=_body,
        invalid=400,
        max_body_bytes=settings.max_body_bytes,
    )


def _body(refusal: Refusal) -> Any:
    body: dict[str, Any] = {"message": refusal.message}
    if refusal.faults:
        body["errors"] = [{"field": fault.field, "problem": fault.problem} for fault in refusal.faults]
    return body
