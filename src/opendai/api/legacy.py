"""POST /auth, by which clients of the oldest DAI log in: /ai/auth by its first name."""

from opendai.api.dialect import Family
from opendai.api.refusals import message, message_schema
from opendai.resources.accounts import sessions
from opendai.settings import Settings

PATH = "/auth"


def create(settings: Settings) -> Family:
    """To be routed to from `PATH` alone: below it OpenID Connect is mounted."""
    return Family(
        "opendai: logging in at the first address",
        [sessions.router],
        prefix="",
        body=message,
        refusal=message_schema,
        invalid=400,
        max_body_bytes=settings.max_body_bytes,
    )
