"""Every table: columns, keys, relationships, and nothing else."""

from opendai.database import Table
from opendai.tables.ai_servers import AiServer, Generation
from opendai.tables.audit import AuditEvent
from opendai.tables.identity import (
    ApiClient,
    Group,
    Instance,
    Membership,
    SigningKey,
    User,
)
from opendai.tables.installation import License, MailServer
from opendai.tables.logins import (
    AuthorizationCode,
    BrowserSession,
    Login,
    LoginAttempts,
    RevokedToken,
)
from opendai.tables.models import (
    Agent,
    CoverageModel,
    Model,
    ModelAsset,
    ModelTag,
    ModelVersion,
    TestCase,
    TransitionTotal,
)
from opendai.tables.runs import DoomedObject, ErrorEntry, Execution, Run, RunCount, RunLog, Screenshot, Timing

# Rows of these tables are kept until the moment in their column `expires`.
PASSING: tuple[type[Table], ...] = (AuthorizationCode, Login, BrowserSession, RevokedToken, LoginAttempts)

# Rows of these tables move with their model to another group, in this order. Runs come first: a run that is ending
# is counted in the old group before its count moves.
MOVING: tuple[type[Table], ...] = (Run, Execution, ErrorEntry, RunCount)

__all__ = [
    "MOVING",
    "PASSING",
    "Agent",
    "AiServer",
    "ApiClient",
    "AuditEvent",
    "AuthorizationCode",
    "BrowserSession",
    "CoverageModel",
    "DoomedObject",
    "ErrorEntry",
    "Execution",
    "Generation",
    "Group",
    "Instance",
    "License",
    "Login",
    "LoginAttempts",
    "MailServer",
    "Membership",
    "Model",
    "ModelAsset",
    "ModelTag",
    "ModelVersion",
    "RevokedToken",
    "Run",
    "RunCount",
    "RunLog",
    "Screenshot",
    "SigningKey",
    "TestCase",
    "Timing",
    "TransitionTotal",
    "User",
]
