"""Every table: columns, keys, relationships, and nothing else."""

from opendai.tables.identity import (
    ApiClient,
    Group,
    Instance,
    Login,
    Membership,
    RevokedToken,
    SigningKey,
    User,
)
from opendai.tables.installation import License, MailServer
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

__all__ = [
    "Agent",
    "ApiClient",
    "CoverageModel",
    "DoomedObject",
    "ErrorEntry",
    "Execution",
    "Group",
    "Instance",
    "License",
    "Login",
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
