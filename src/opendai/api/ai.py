"""DAI 5.2: everything under /ai. Errors are {"message", "errors"} and bad input is 400."""

from opendai.api.dialect import Family
from opendai.api.refusals import message, message_schema
from opendai.resources import agents
from opendai.resources.accounts import groups, login_checks, sessions
from opendai.resources.accounts.users import routes as users
from opendai.resources.administration import audit, smtp, status
from opendai.resources.administration.licenses import routes as licenses
from opendai.resources.executions import removal
from opendai.resources.executions import routes as executions
from opendai.resources.models import (
    actions,
    agent,
    assets,
    coverage,
    coverage_models,
    release_insights,
    tags,
)
from opendai.resources.models import routes as models
from opendai.resources.models import runs as model_runs
from opendai.resources.models.testcases import routes as testcases
from opendai.resources.models.testcases import runs as testcase_runs
from opendai.resources.models.testcases import summary as testcase_summary
from opendai.resources.runs import errors as execution_errors
from opendai.resources.runs import logs as runlogs
from opendai.resources.runs import routes as runs
from opendai.resources.runs.screenshots import routes as screenshots
from opendai.resources.test_configs.tasks import routes as testconfigtasks
from opendai.settings import Settings

PREFIX = "/ai"


def create(settings: Settings) -> Family:
    return Family(
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
            agent.router,
            tags.router,
            assets.router,
            testcases.router,
            runs.router,
            removal.router,
            model_runs.router,
            testcase_summary.router,
            testcase_runs.router,
            runlogs.router,
            screenshots.router,
            coverage.router,
            coverage_models.router,
            actions.router,
            release_insights.router,
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
