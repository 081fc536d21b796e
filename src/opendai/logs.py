"""The log: one JSON object a line, or colors on a terminal. The records of other libraries take the same form."""

import logging
import sys
from typing import Any

import structlog

from opendai.settings import Settings


def configure(settings: Settings) -> None:
    """Set up logging to standard error for this process."""
    is_console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = (
        # The pretty tracebacks show local variables, and those hold tokens and passwords.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if is_console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    # These log every request and statement, some with the query string.
    for chatty in (
        "httpx",
        "httpcore",
        "botocore",
        "boto3",
        "urllib3",
        "s3transfer",
        "uvicorn.access",
        "alembic",
    ):
        logging.getLogger(chatty).setLevel(logging.WARNING)
