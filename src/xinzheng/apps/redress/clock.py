"""What time it is for redress (时钟): told by the setting, so that days can be told in tests."""

from datetime import date, datetime
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from xinzheng.core.decision import china_date


def now() -> datetime:
    """The moment, aware."""
    return cast(datetime, import_string(settings.XINZHENG_CLOCK)())


def today() -> date:
    """The day it is in China."""
    return china_date(now())
