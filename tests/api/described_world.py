"""What the interface is asked about by a machine: things in each state, who calls, and requests that are all right."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.test import override_settings

from tests import pictures
from tests.permissions.world import World, build_world
from tests.platform_callers import own_token, registered, token_for
from tests.small_city import PENALTY, today, uscc
from xinzheng.adapters.signing import qr_text
from xinzheng.apps.accounts.platforms import MadePlatform
from xinzheng.apps.codes.models import Webhook
from xinzheng.apps.codes.notice_events import REPORT_ENDED
from xinzheng.apps.codes.webhooks import Owner, register_webhook
from xinzheng.apps.ledger.actions import Delivery, Scope
from xinzheng.apps.ledger.models import Upload
from xinzheng.apps.ledger.uploads import queue_upload, take_in_upload
from xinzheng.apps.ledger.withdrawal import withdraw_batch
from xinzheng.apps.reports.forms import application_form, told_of
from xinzheng.apps.reports.issuing import long_code
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.core.floors import Floors
from xinzheng.core.lifecycle import typed_code

DOMAIN = "water_affairs"
SEEN_TWICE = Floors(least_history=2, far_times=3, far_lines=3)
REASON = {"reason": "该决定已经撤销"}
Body = Mapping[str, Any]


@dataclass(frozen=True)
class Described:
    """Credentials by scheme, the more often met later; things by their name in addresses; bodies by operation."""

    credentials: Mapping[str, Sequence[str]]
    things: Mapping[str, tuple[Any, ...]]
    bodies: Mapping[str, Body]


def build_described(folder: Path) -> Described:
    """The world of the permission tests, and uploads in each state besides."""
    world = build_world(folder)
    made = registered("示例平台")
    credentials = {
        "UnitKey": (world.keys["unit-key"], world.keys["responsible-key"]),
        "PlatformToken": (own_token(made), token_for(world.accounts["agent"], made)),
    }
    things = {
        "upload_id": uploads(world),
        "line": (3, 3, 2),
        "subject": (uscc(1),),
        "webhook_id": (webhook(made),),
        "number": (world.ours["report"], world.theirs["report"]),
        "application_id": (world.ours["application"], world.theirs["application"]),
        "code_id": (world.ours["share"], world.theirs["share"]),
    }
    return Described(credentials, things, bodies(world, Report.objects.get(pk=world.ours["report"])))


def webhook(made: MadePlatform) -> int:
    """One that is called here, where nobody listens: its name needs no name server."""
    owner = Owner(made.platform.pk)
    number = register_webhook(owner, "https://hooks.example.cn/", [REPORT_ENDED], by="test").webhook.pk
    Webhook.objects.filter(pk=number).update(url="https://localhost:8443/")
    return number


def uploads(world: World) -> tuple[int, ...]:
    """One that waits, one taken in with a line rejected, one failed, one taken back, one held; one of another unit."""
    waiting, done, failed, withdrawn, held = (
        upload(world, lines) for lines in ((50,), (51, 52), (53,), (54,), range(55, 65))
    )
    with override_settings(XINZHENG_FLOORS=SEEN_TWICE):
        for taken in (done, withdrawn, held):
            take_in_upload(taken)
    Upload.objects.filter(pk=failed).update(state=Upload.State.FAILED, message="文件无法读取，请换一个文件。")
    batch_id = Upload.objects.get(pk=withdrawn).batch_id
    assert batch_id is not None
    withdraw_batch(batch_id=batch_id, reason=REASON["reason"], by="test")
    return done, held, withdrawn, failed, waiting, int(world.theirs["upload"])


def upload(world: World, serials: Any) -> int:
    """A delivery of the unit whose keys call; of two lines the second is rejected."""
    rows = [penalty(world, serial) for serial in serials]
    if len(rows) == 2:
        rows[1]["行政处罚决定书文号"] = ""
    delivery = world.city.delivery(rows, DOMAIN)
    scope = Scope(world.city.unit(DOMAIN), DOMAIN, PENALTY)
    return queue_upload(Delivery(delivery.file, scope, file_name="十一月.csv"), by="account:0").pk


def penalty(world: World, serial: int) -> dict[str, str]:
    unit = world.city.unit(DOMAIN)
    source = {"处罚机关统一社会信用代码": unit, "数据来源单位统一社会信用代码": unit}
    return world.city.penalty(uscc(serial), f"示罚〔2026〕{serial}号", **source)


def bodies(world: World, report: Report) -> dict[str, Body]:
    """For each operation that takes one, a body that is all right."""
    code = {"number": report.number, "code": typed_code(bytes(report.secret))}
    text = {"qr": qr_text(bytes(report.cose), long_code(bytes(report.secret)))}
    document, day = report_pdf(report.number), today().isoformat()
    period = {"kind": PENALTY, "domain": DOMAIN, "covers_from": day, "covers_through": day}
    return {
        "queueBatch": {"kind": PENALTY, "domain": DOMAIN, "file": as_csv([penalty(world, 70)])},
        "explainLine": REASON,
        "withdrawBatch": REASON,
        "declareCoverage": period,
        "withdrawCoverage": period,
        "verifyByCode": code | {"proof": True},
        "verifyByQr": text,
        "verifyByPicture": {"file": picture(text["qr"])},
        "verifyByFile": {"file": document},
        "verifyBatch": {"items": [code, text]},
        "verifyFiles": {"files": [document, document]},
        "apply": application(world),
        "registerWebhook": {"url": "https://hooks.example.cn/more", "events": [REPORT_ENDED]},
        "shareReport": {"purpose": "financing", "hours": 2, "views": 2},
    }


def application(world: World) -> Body:
    """What an application says, once it was seen what the report does not replace."""
    account = world.accounts["agent"]
    assert account.subject_id is not None
    seen = told_of(application_form("suzhou-2024", account.subject_id))
    return {"subject": uscc(1), "policy": "suzhou-2024", "purpose": "financing", "exceptions_seen": seen}


def as_csv(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, tuple(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def picture(text: str) -> bytes:
    return pictures.as_file(pictures.page([text]))
