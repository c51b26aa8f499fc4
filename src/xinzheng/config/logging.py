"""Log lines through structlog: one JSON object a line, or readable text on a terminal; identity numbers masked."""

import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from xinzheng.apps.audit.privacy import IDENTITY_NUMBER


def mask_identity_numbers(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace identity numbers in every text of a log event. Names cannot be recognised: they are never logged."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = IDENTITY_NUMBER.sub("[身份号码]", value)
    return event


def logging_settings(level: str) -> dict[str, Any]:
    """Django's ``LOGGING``; also prepares structlog, so that both ways of logging end in one format."""
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=False),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": before,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    mask_identity_numbers,
                    _renderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        # Statements carry values; they stay out of the log at every level.
        "loggers": {"django.db.backends": {"level": "ERROR"}, "procrastinate": {"level": "WARNING"}},
    }


def _renderer() -> structlog.typing.Processor:
    if sys.stderr.isatty():
        return structlog.dev.ConsoleRenderer()
    return structlog.processors.JSONRenderer(ensure_ascii=False)
