"""DAI 5.2: everything under /ai. Errors are {"message", "errors"} and bad input is 400."""

from typing import Any

from opendai.api.dialect import Family, Refusal, build
from opendai.resources import (
    agents,
    assets,
    audit,
    coverage,
    coverage_models,
    execution_errors,
    groups,
    insights,
    licenses,
    login_checks,
    model_agents,
    modelruns,
    models,
    runlogs,
    runs,
    screenshots,
    sessions,
    smtp,
    status,
    tags,
    testcases,
    testconfigtasks,
)
from opendai.resources.executions import removal
from opendai.resources.executions import routes as executions
from opendai.resources.users import routes as users
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
            audit.router,
            agents.router,
            models.router,
            model_agents.router,
            tags.router,
            assets.router,
            testcases.router,
            runs.router,
            removal.router,
            modelruns.router,
            runlogs.router,
            screenshots.router,
            coverage.router,
            coverage_models.router,
            insights.router,
            execution_errors.router,
            testconfigtasks.router,
            executions.status_router,
        ],
        prefix=PREFIX,
        body=message,
        refusal=message_schema,
        invalid=400,
        max_body_bytes=settings.max_body_bytes,
    )


def message(refusal: Refusal) -> Any:
    body: dict[str, Any] = {"message": refusal.message}
    if refusal.faults:
        body["errors"] = [{"field": fault.field, "problem": fault.problem} for fault in refusal.faults]
    return body


def message_schema(_status: int) -> dict[str, Any]:
    """The JSON schema of what `message` words."""
    text = {"type": "string"}
    fault = {
        "type": "object",
        "properties": {"field": text, "problem": text},
        "required": ["field", "problem"],
    }
    return {
        "type": "object",
        "properties": {"message": text, "errors": {"type": "array", "items": fault}},
        "required": ["message"],
    }
