"""What notices are about (通知事项): the names a webhook is registered for, and what they are called."""

from collections.abc import Mapping
from types import MappingProxyType

from xinzheng.apps.codes.notices import REPORT_ENDED

APPLICATION_DONE = "application-done"
# What a call to try a webhook says it is.
WEBHOOK_TEST = "webhook-test"

EVENTS: Mapping[str, str] = MappingProxyType(
    {REPORT_ENDED: "订阅的报告不再有效", APPLICATION_DONE: "平台代为提交的申请有了结果"}
)
