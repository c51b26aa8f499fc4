"""Nothing personal and no secret in what is logged, at the lowest level, whoever does what; nor in queued tasks."""

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.permissions.addresses import CALLERS
from tests.permissions.world import PERSON, PERSON_NUMBER, World, build_world
from tests.redress_city import KIND, small_pdf
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.codes.batch_work import work_on
from xinzheng.apps.codes.models import BatchCheck, ShownCode
from xinzheng.apps.codes.sharing import Shown, show
from xinzheng.apps.redress.models import Evidence
from xinzheng.apps.registry.actions import import_subjects, keep_phone
from xinzheng.apps.reports.applications import fulfil_application
from xinzheng.apps.reports.models import Application, Report
from xinzheng.config import environment
from xinzheng.config.logging import logging_settings
from xinzheng.core.lifecycle import typed_code

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MAIL = "example-li@example.com"
PHONE, PASSWORD, BEARER = "13812345678", "Geheim-und-lang-2026", "xz_" + "aB3dE5fG7h" * 4
# What a task may be given: numbers and identifiers, no words.
PLAIN = re.compile(r"[\w:.-]{0,64}", re.ASCII)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything any logger says, as the site's own formatter writes it."""
    said = io.StringIO()
    formatter = dict(logging_settings("DEBUG")["formatters"]["structured"])
    formatter.pop("()")
    handler = logging.StreamHandler(said)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**formatter))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield said
    root.removeHandler(handler)
    root.setLevel(level)


def secrets_of(world: World, shown: Shown, browsers: dict[str, Client]) -> dict[str, str]:
    """What must be nowhere, by what it is."""
    report = Report.objects.get(pk=world.ours["report"])
    cookie = settings.SESSION_COOKIE_NAME
    cookies = {f"cookie of {who}": client.cookies[cookie].value for who, client in browsers.items()}
    return {
        "name": PERSON,
        "representative": "示例甲",
        "number": PERSON_NUMBER,
        "phone": PHONE,
        "mail address": MAIL,
        "password": PASSWORD,
        "key": BEARER,
        "code of the report": typed_code(bytes(report.secret)),
        "shown code": shown.secret,
        "typed code": shown.typed,
    } | cookies


def journey(world: World, shown: Shown) -> dict[str, Client]:
    """Everybody opens what there is, mistypes, applies, is refused, and something breaks."""
    browsers = {who: world.client(who) for who in CALLERS if who not in ("nobody", "closed")}
    number, stranger = world.ours["report"], Client(raise_request_exception=False)
    code = typed_code(bytes(Report.objects.get(pk=number).secret))
    addresses = [
        "/", "/apply", "/applications", "/reports", f"/reports/{number}", f"/reports/{number}.pdf", "/my-data",
        "/my-data/full", "/mandates", "/department", "/office/coverage", "/office/review", "/office/paper-demands",
        "/audit", "/administration/accounts", "/administration/keys", f"/verify?number={number}&code={code}",
        f"/v/{code}", f"/v/{PERSON_NUMBER}", f"/s/{shown.secret}", f"/s/{shown.secret}x", f"/s/{shown.typed}",
        f"/no/{PERSON_NUMBER}/{PHONE}", f"/sign-in?next=/s/{shown.secret}",
        f"/v/{code}/x", f"/s/{shown.secret}/x", f"/sign-in/with/x/login/callback/?code={BEARER}&state={PASSWORD}",
    ]  # fmt: skip
    for client in (stranger, *browsers.values()):
        for address in addresses:
            client.get(address)
    for username in (PERSON_NUMBER, PHONE, PERSON):
        stranger.post("/sign-in", {"username": username, "password": PASSWORD})
    stranger.post("/verify", {"number": number, "code": code})
    stranger.post("/s", {"code": shown.typed})
    stranger.post(
        "/api/v1/verify", b"{", content_type="application/json", headers={"Authorization": f"Bearer {BEARER}"}
    )
    stranger.get("/api/v1/batches/1", headers={"Authorization": f"Bearer {BEARER}"})
    browsers["person"].post("/my-data/phone", {"phone": PHONE})
    browsers["person"].post("/my-data/export")
    browsers["office"].post("/account/mail", {"act": "keep", "address": MAIL})
    browsers["agent"].post("/paper-demands", {"body_name": f"示例平台{PHONE}"})
    object_to_something(browsers["agent"], world.ours["objection"])
    browsers["office"].get(f"/office/review?text={PERSON}")
    lines = f"报告编号,核验码\n{number},{code}\n{PERSON_NUMBER},{PHONE}\n".encode()
    browsers["receiver"].post("/receiver/checks", {"file": SimpleUploadedFile(f"{PERSON_NUMBER}.csv", lines)})
    work_on(BatchCheck.objects.get(state="queued").pk)
    for application in Application.objects.filter(state="queued"):
        fulfil_application(application.pk)
    return browsers


def object_to_something(client: Client, number: str) -> None:
    """Words and names of files that hold everything they should not; taken, and refused."""
    words, form = f"{PERSON}，{PERSON_NUMBER}，{PHONE}", {"record": "missing", "scope": f"taxation|{KIND}"}
    for content in (small_pdf(), b"no file at all"):
        file = SimpleUploadedFile(f"{PERSON}{PERSON_NUMBER}{PHONE}.pdf", content)
        asked = {**form, "document_number": "示信修〔2026〕1号", "words": words, "evidence": file}
        client.post(f"/objections/new?record={PERSON_NUMBER}", asked)
    assert Evidence.objects.filter(step__act="lodge", step__objection__document_number="示信修〔2026〕1号").exists()
    client.post("/objections/new", {**form, "document_number": PERSON_NUMBER, "words": words})
    client.post(f"/objections/{number}/act", {"act": "supply", "seen": "2", "words": words})
    client.post(f"/objections/{PERSON_NUMBER}/act", {"act": "withdraw", "seen": PHONE})


def break_something(world: World, tmp_path: Path) -> None:
    """Errors that carry what they were about."""
    said = logging.getLogger("xinzheng.test")
    try:
        raise RuntimeError(f"row of {PERSON_NUMBER}, {PHONE}, /s/abcdefgh, Bearer {BEARER}, password={PASSWORD}")
    except RuntimeError:
        said.exception("broken: %s", PHONE)
    structlog.get_logger("xinzheng.test").error("broken", rows=[{"number": PERSON_NUMBER}], phone=PHONE)
    path = tmp_path / "persons.csv"
    path.write_text(f"姓名,公民身份号码,类型\n{PERSON},{PERSON_NUMBER}9,自然人\n", encoding="utf-8")
    import_subjects(path, by="test")
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(username="agent", display_name=PERSON, role="auditor")


def test_neither_names_nor_numbers_nor_codes_nor_tokens_are_logged(log: io.StringIO, tmp_path: Path) -> None:
    world = build_world(tmp_path)
    person = world.accounts["person"].person_id
    assert person is not None
    keep_phone(person, PHONE, by="test")
    shown = show(world.ours["share"], ShownCode.Form.SCREEN, by="test")  # type: ignore[arg-type]
    browsers = journey(world, shown)
    break_something(world, tmp_path)
    lines = log.getvalue()
    hidden = secrets_of(world, shown, browsers)
    assert [what for what, secret in hidden.items() if secret in lines] == []
    events = [json.loads(line)["event"] for line in lines.splitlines()]
    assert {"Not Found: /v/[码]", "Not Found: /s/[码]"} <= set(events)
    assert "Not Found: /no/[身份号码]/[手机号码]" in events
    assert "broken: [手机号码]" in events
    assert len(events) > 50
    database = "".join(path.read_text(errors="replace") for path in settings.XINZHENG_HOME.rglob("*.log"))
    assert [what for what, secret in hidden.items() if secret in database] == []
    assert "duplicate key" in database or not environment.database_is_embedded()


def test_tasks_are_given_numbers_only_and_the_database_is_told_no_name(tmp_path: Path) -> None:
    world = build_world(tmp_path)
    journey(world, show(world.ours["share"], ShownCode.Form.SCREEN, by="test"))  # type: ignore[arg-type]
    jobs = list(ProcrastinateJob.objects.values_list("task_name", "args"))
    assert jobs
    assert [job for job in jobs if not all(PLAIN.fullmatch(str(value)) for value in job[1].values())] == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()")
        assert all(PLAIN.fullmatch(name) for (name,) in cursor.fetchall())
