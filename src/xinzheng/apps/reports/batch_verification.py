"""Verifying many at once (批量核验): one statement for all of the register, one for all the looks."""

from collections.abc import Sequence
from dataclasses import dataclass

from xinzheng.apps.reports.looks import COMMAND_LINE, record_looks
from xinzheng.apps.reports.registered import by_either
from xinzheng.apps.reports.trusting import seal_keys
from xinzheng.apps.reports.verification import Verdict, code_verdict, qr_verdict, secret_in_qr_text
from xinzheng.core.lifecycle import is_report_number, normalise_number

BATCH_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """One of a batch (核验项): a number with its typed code, or the text of a QR code."""

    number: str = ""
    code: str = ""
    qr: str = ""


def verify_batch(items: Sequence[Asked], by: str = COMMAND_LINE) -> list[Verdict]:
    """A verdict for each, in their order. Each that told a status is recorded as a look of its own.

    Raises:
        ValueError: more than a hundred.
    """
    if len(items) > BATCH_AT_MOST:
        raise ValueError(len(items))
    numbers = [normalise_number(item.number) for item in items]
    secrets = [secret_in_qr_text(item.qr) if item.qr else None for item in items]
    found = by_either([number for number in numbers if is_report_number(number)], [s for s in secrets if s])
    of_number, of_secret = {r.number: r for r in found}, {r.secret: r for r in found}
    keys = seal_keys()
    verdicts = [
        qr_verdict(item.qr, of_secret.get(secret or b""), keys)
        if item.qr
        else code_verdict(number, item.code, of_number.get(number))
        for item, number, secret in zip(items, numbers, secrets, strict=True)
    ]
    record_looks([(v.number, "batch", by, v.status) for v in verdicts if v.number and v.status])
    return verdicts
