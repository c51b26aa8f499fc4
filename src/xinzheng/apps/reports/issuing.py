"""Issuing (出具): decide → rehearse → number → render → sign → store; a crash leaves a row that is resumed."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError
from django.utils import timezone

from xinzheng.apps.audit.trouble import Trouble, database_trouble
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.completing import complete_report, resume_prepared, void_report
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.numbering import expected_number
from xinzheng.apps.reports.preparing import (
    Order,
    Prepared,
    draft_report,
    long_code,
    prepare_report,
    purpose_in_words,
    question_now,
    rehearse_report,
)
from xinzheng.apps.reports.serialising import request_to_json
from xinzheng.core.errors import XinzhengError

__all__ = [
    "Order",
    "complete_report",
    "ensure_keys",
    "issue_report",
    "long_code",
    "purpose_in_words",
    "question_now",
    "resume_prepared",
    "void_report",
]


def issue_report(order: Order) -> Report:
    """Issue a report, or give back the one issued under the same key.

    Raises what deciding and rehearsing raise; nothing has been numbered then. ``idempotency-key-reused`` when the key
    belongs to another order, ``report-voided`` when the report under it was given up. ``signing-unavailable``,
    ``storage-full`` and ``database-lost`` may pass: the same order again goes on from where it stopped.
    """
    ensure_keys()
    known = _issued_under(order)
    if known is None:
        with _trouble_in_words(order, "没有占用报告编号", "有没有占用编号还不能确定"):
            prepared = _prepare(order)
    else:
        prepared = Prepared(known)
    kept = f"编号{prepared.report.number}已经保留"
    with _trouble_in_words(order, f"{kept}，有了空间后自动继续签发", kept):
        return complete_report(prepared.report, order.by, prepared.pdf)


def _prepare(order: Order) -> Prepared:
    """A numbered report that waits to be signed; the other one's where two come at once with the same key."""
    order.on_stage("deciding")
    draft = draft_report(order)
    order.on_stage("rehearsing")
    with expected_number(draft.policy.number_prefix, draft.question.as_of.date()) as number:
        rehearsed = rehearse_report(draft, number)
        order.on_stage("signing")
        try:
            return prepare_report(draft, order, rehearsed)
        except IntegrityError:
            known = _issued_under(order)
            if known is None:
                raise
            return Prepared(known)


@contextmanager
def _trouble_in_words(order: Order, when_full: str, when_lost: str) -> Iterator[None]:
    """Say in words that the database has no room left, or is gone, and what became of the number in each case."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        trouble = database_trouble(error)
        if trouble is Trouble.FULL:
            words = f"数据库的磁盘满了，报告没有出具，{when_full}。请腾出空间后再试。"
            raise XinzhengError(words, code="storage-full") from error
        if trouble is Trouble.LOST:
            again = f"恢复后用同一申请号 {order.key} 再试，不会重复出具。"
            words = f"数据库断开了，多半是磁盘满了或者服务停了；{when_lost}。{again}"
            raise XinzhengError(words, code="database-lost") from error
        raise


def _issued_under(order: Order) -> Report | None:
    """The report under the order's key, which must be of the same order."""
    known = Report.objects.filter(idempotency_key=order.key).first()
    if known is None:
        return None
    if (known.subject_id, known.policy_id, known.request) != (
        order.subject_id,
        order.policy_id,
        request_to_json(order.request),
    ):
        raise XinzhengError("同一申请号已经用于另一份申请，请重新提交。", code="idempotency-key-reused")
    return known


def ensure_keys() -> None:
    """Make the demonstration keys at the first start; keys that are there stay."""
    ports.signing().ensure_demo_keys(settings.XINZHENG_KEYS / "signing", timezone.now(), settings.XINZHENG_HOST)
