"""Log lines through structlog: one JSON object a line, or readable text on a terminal; what is personal masked."""

import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from xinzheng.apps.audit.privacy import IDENTITY_NUMBER, PHONE

# What opens a report or an account, wherever a text carries it: in the path of a code (plain or quoted in another
# address), in a query or a form, in a header, in a key of our own.
CODE_PATH = re.compile(r"(?i)((?:/|%2f)[sv](?:/|%2f))[^\s\"'?#&<>)\]},;]+")
SECRET_NAMES = (
    "code", "state", "nonce", "secret", "client_secret", "token", "id_token", "access_token", "refresh_token",
    "password", "typed", "ticket", "code_verifier", "sessionid", "csrftoken", "csrfmiddlewaretoken",
)  # fmt: skip
NAMED_SECRET = re.compile(rf"(?i)(?<![\w-])((?:__Host-)?(?:{'|'.join(SECRET_NAMES)})=)[^\s&\"'<>;,)]+")
AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
# Of units, of platforms and of webhooks, which end in Base64.
OWN_KEY = re.compile(r"\b(?:xz_|xp_|whsec_)[\w+/-]{8,}=*")
MASKS = (
    (IDENTITY_NUMBER, "[身份号码]"),
    (PHONE, "[手机号码]"),
    (CODE_PATH, r"\1[码]"),
    (NAMED_SECRET, r"\1[略]"),
    (AUTHORIZATION, r"\1 [略]"),
    (OWN_KEY, "[接口密钥]"),
)


def masked(text: str) -> str:
    """The text without identity numbers, phones, codes and secrets. Names cannot be recognised: never log them."""
    for pattern, instead in MASKS:
        text = pattern.sub(instead, text)
    return text


def mask_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask every text of a log event, how deep ever it lies."""
    for key, value in event.items():
        event[key] = _masked_within(value)
    return event


def _masked_within(value: object) -> object:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {key: _masked_within(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked_within(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float) else masked(str(value))


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
                    mask_secrets,
                    _renderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        # Statements carry values, the allauth and HTTP client loggers claims and addresses: they stay out at any level.
        "loggers": {
            "django.db.backends": {"level": "ERROR"},
            "procrastinate": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
            "requests_oauthlib": {"level": "WARNING"},
            "oauthlib": {"level": "WARNING"},
        },
    }


def _renderer() -> structlog.typing.Processor:
    if sys.stderr.isatty():
        return structlog.dev.ConsoleRenderer()
    return structlog.processors.JSONRenderer(ensure_ascii=False)
