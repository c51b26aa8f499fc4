"""The whole way of a delivery through the interface: key, file, task, status, defects; once, and for nobody else."""

import json
import re
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db import connection

from tests.api.conftest import BATCHES, System, as_csv, problem_in, system_of
from tests.platform_callers import without_number
from tests.small_city import LONG_AGO, PENALTY, SmallCity, today, uscc
from xinzheng.apps.accounts.models import KeptRequest
from xinzheng.apps.audit.models import AuditEvent, Entry
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.models import Upload
from xinzheng.apps.ledger.queries import coverage_at
from xinzheng.apps.ledger.tasks import run_intake
from xinzheng.apps.ledger.uploads import take_in_upload


def faulty_rows(city: SmallCity, count: int = 5) -> list[dict[str, str]]:
    """Rows of which the second and the fourth are rejected."""
    rows = [city.penalty(uscc(n), f"苏税罚〔2026〕{n}号") for n in range(1, count + 1)]
    rows[1]["处罚决定日期"] = "2026-09-31"
    rows[3]["行政处罚决定书文号"] = ""
    return rows


def taken(system: System, rows: list[dict[str, str]], **fields: str) -> Any:
    """The status after the task ran."""
    queued = system.upload(rows, **fields)
    assert queued.status_code == 202
    take_in_upload(queued.json()["id"])
    return system.get(queued.headers["Location"]).json()


@pytest.mark.django_db(transaction=True)
def test_the_whole_way_of_a_delivery(city: SmallCity, tax: System) -> None:
    queued = tax.upload(faulty_rows(city), covers_from=LONG_AGO.isoformat(), covers_through=today().isoformat())
    assert queued.status_code == 202
    told = queued.json()
    assert queued.headers["Location"] == f"{BATCHES}/{told['id']}"
    assert (told["status"], told["result"], told["message"], told["file_name"]) == ("queued", None, None, "十一月.csv")
    assert (told["unit"], told["covers_from"]) == (city.unit("taxation"), LONG_AGO.isoformat())
    with connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE (args->>'upload_id')::bigint = %s", [told["id"]])
        ((arguments,),) = cursor.fetchall()

    run_intake(**(json.loads(arguments) if isinstance(arguments, str) else arguments))

    done = tax.get(queued.headers["Location"]).json()
    result = done["result"]
    assert (done["status"], done["lines_done"]) == ("done", 5)
    counts = {name: result[name] for name in ("lines", "new", "changed", "identical", "rejected", "duplicate")}
    assert counts == {"lines": 5, "new": 3, "changed": 0, "identical": 0, "rejected": 2, "duplicate": 0}
    assert (result["held"], result["waiting"], result["is_withdrawn"]) == (False, 2, False)
    assert result["defects_total"] == len(result["defects"]) >= 2
    assert {"line", "field", "code", "severity", "message"} == set(result["defects"][0])
    assert {d["line"] for d in result["defects"] if d["severity"] == "error"} == {3, 5}
    assert Entry.objects.get(pk=result["batch"]).actor == f"api-key:{tax.key_id}"
    assert AuditEvent.objects.get(action="batch-taken").who == f"api-key:{tax.key_id}"


def test_while_it_is_under_way_lines_are_told_and_defects_are_not_there_yet(city: SmallCity, tax: System) -> None:
    queued = tax.upload([city.penalty(uscc(1))]).json()
    Upload.objects.filter(pk=queued["id"]).update(state=Upload.State.RUNNING, lines_done=50_000)
    told = tax.get(f"{BATCHES}/{queued['id']}").json()
    assert (told["status"], told["lines_done"]) == ("running", 50_000)
    for page in ("defects", "defects.csv", "file"):
        refused = tax.get(f"{BATCHES}/{queued['id']}/{page}")
        assert (refused.status_code, problem_in(refused)["code"]) == (409, "batch-not-done")


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_no_table_fails_with_the_reason(tax: System) -> None:
    queued = tax.upload(b"%PDF-1.7 ...").json()
    take_in_upload(queued["id"])
    told = tax.get(f"{BATCHES}/{queued['id']}").json()
    assert (told["status"], told["result"]) == ("failed", None)
    assert "不是表格" in told["message"]
    refused = problem_in(tax.get(f"{BATCHES}/{queued['id']}/defects"))
    assert refused["code"] == "batch-failed"
    assert "不是表格" in refused["detail"]


@pytest.mark.django_db(transaction=True)
def test_defects_are_read_page_by_page_each_once(city: SmallCity, tax: System) -> None:
    told = taken(tax, faulty_rows(city, 12))
    address = f"{BATCHES}/{told['id']}/defects?limit=1"
    seen: list[tuple[int, str, str]] = []
    while address:
        page = tax.get(address).json()
        assert page["total"] == told["result"]["defects_total"]
        assert len(page["defects"]) == 1
        seen += [(d["line"], d["field"], d["code"]) for d in page["defects"]]
        address = page["next"]
    assert seen == [(d["line"], d["field"], d["code"]) for d in told["result"]["defects"]]


@pytest.mark.django_db(transaction=True)
def test_the_lines_to_correct_come_with_their_original_columns(city: SmallCity, tax: System) -> None:
    told = taken(tax, faulty_rows(city))
    sent = tax.get(f"{BATCHES}/{told['id']}/defects.csv")
    assert sent.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="batch-\d+-defects.csv"', sent.headers["Content-Disposition"])
    text = sent.getvalue().decode("utf-8-sig")
    assert "2026-09-31" in text
    assert "行政处罚决定书文号" in text.splitlines()[0]
    assert uscc(1) not in text


@pytest.mark.django_db(transaction=True)
def test_the_file_comes_back_byte_for_byte_with_its_digest(city: SmallCity, tax: System) -> None:
    rows = faulty_rows(city)
    told = taken(tax, rows)
    sent = tax.get(f"{BATCHES}/{told['id']}/file")
    content = sent.getvalue()
    assert content == as_csv(rows)
    assert sent.headers["Repr-Digest"] == f"sha-256=:{b64encode(sha256(content).digest()).decode()}:"
    assert "filename*=utf-8''%E5%8D%81%E4%B8%80%E6%9C%88.csv" in sent.headers["Content-Disposition"]


@pytest.mark.django_db(transaction=True)
def test_days_sent_with_the_file_are_stated_with_the_batch(city: SmallCity, tax: System) -> None:
    day = today() - timedelta(days=9)
    taken(tax, [city.penalty(uscc(1))], covers_from=LONG_AGO.isoformat(), covers_through=day.isoformat())
    coverage = coverage_at("suzhou-2024", head_position())
    stated = coverage.statements_of(city.unit("taxation"), PENALTY, "taxation")
    assert [(s.from_date, s.through_date) for s in stated] == [(LONG_AGO, day)]


# --- the same request again ------------------------------------------------------------------------------------------


def test_the_same_request_again_is_the_same_delivery(city: SmallCity, tax: System) -> None:
    rows = [city.penalty(uscc(1))]
    first = tax.upload(rows, idempotency="2026-11-21/1")
    again = tax.upload(rows, idempotency="2026-11-21/1")
    assert (again.status_code, again.json(), again.headers["Location"]) == (
        202,
        first.json(),
        first.headers["Location"],
    )
    assert Upload.objects.count() == 1


@pytest.mark.parametrize("change", ["file", "file_name", "mode", "days", "scope"])
def test_the_same_key_with_another_body_is_refused(city: SmallCity, tax: System, change: str) -> None:
    rows, others = [city.penalty(uscc(1))], [city.penalty(uscc(2))]
    assert tax.upload(rows, idempotency="a").status_code == 202
    days = {"covers_from": "2026-01-01", "covers_through": "2026-01-31"}
    changes: dict[str, dict[str, str]] = {
        "file": {},
        "file_name": {"file_name": "b.csv"},
        "mode": {"mode": "snapshot"},
        "days": days,
        "scope": {"kind": "other_determination"},
    }
    refused = tax.upload(others if change == "file" else rows, idempotency="a", **changes[change])
    assert (refused.status_code, problem_in(refused)["code"]) == (422, "idempotency-key-reused")
    assert Upload.objects.count() == 1


def test_without_an_idempotency_key_or_with_another_system_each_request_is_its_own(
    city: SmallCity, tax: System
) -> None:
    rows, second_system = [city.penalty(uscc(1))], system_of(city.unit("taxation"))
    answers = [tax.upload(rows), tax.upload(rows), tax.upload(rows, idempotency="a")]
    answers.append(second_system.upload(rows, idempotency="a"))
    assert len({answer.json()["id"] for answer in answers}) == 4


def test_a_refused_request_does_not_use_its_idempotency_key_up(city: SmallCity, tax: System) -> None:
    rows, tomorrow = [city.penalty(uscc(1))], (today() + timedelta(days=1)).isoformat()
    refused = tax.upload(rows, idempotency="a", covers_from=tomorrow, covers_through=tomorrow)
    assert (refused.status_code, problem_in(refused)["code"]) == (422, "coverage-in-future")
    assert not KeptRequest.objects.exists()
    assert tax.upload(rows, idempotency="a").status_code == 202


@pytest.mark.parametrize("unfit", ["", "a b", "密钥", "a" * 201])
def test_an_idempotency_key_that_is_none_is_refused(city: SmallCity, tax: System, unfit: str) -> None:
    refused = tax.upload([city.penalty(uscc(1))], idempotency=unfit)
    assert (refused.status_code, problem_in(refused)["code"]) == (422, "request-invalid")
    assert problem_in(refused)["errors"][0]["in"] == "header"


# --- only the unit's own ---------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_another_units_delivery_is_not_there(city: SmallCity, tax: System, water: System) -> None:
    told = taken(tax, faulty_rows(city))
    for page in ("", "/defects", "/defects.csv", "/file"):
        theirs = water.get(f"{BATCHES}/{told['id']}{page}")
        nobodys = water.get(f"{BATCHES}/{10**9}{page}")
        assert (theirs.status_code, without_number(theirs)) == (nobodys.status_code, without_number(nobodys))
        assert problem_in(theirs)["code"] == "not-found"
    assert water.get(f"{BATCHES}/{10**30}").status_code == 404


def test_a_unit_delivers_only_what_it_answers_for(city: SmallCity, water: System) -> None:
    refused = water.upload([city.penalty(uscc(1))])
    assert (refused.status_code, problem_in(refused)["code"]) == (403, "unit-not-responsible")
    assert not Upload.objects.exists()


# --- what a request must say -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": ""}, "kind"),
        ({"kind": "a\x00b"}, "kind"),
        ({"mode": "all"}, "mode"),
        ({"covers_from": "2026-02-30", "covers_through": "2026-03-01"}, "covers_from"),
        ({"covers_from": "1700000000", "covers_through": "2026-03-01"}, "covers_from"),
        ({"covers_from": "2026-01-01T00:00:00", "covers_through": "2026-03-01"}, "covers_from"),
        ({"covers_from": "2026-01-01"}, ""),
        ({"covers_form": "2026-01-01"}, "covers_form"),
        ({"unit": "91320500MA000001XX"}, "unit"),
    ],
)
def test_a_field_that_is_wrong_is_named(city: SmallCity, tax: System, fields: dict[str, str], field: str) -> None:
    refused = tax.upload([city.penalty(uscc(1))], **fields)
    problem = problem_in(refused)
    assert (refused.status_code, problem["code"]) == (422, "request-invalid")
    assert [(error["in"], error["field"]) for error in problem["errors"]] == [("form", field)]
    assert re.search(r"[\u4e00-\u9fff]", problem["errors"][0]["detail"])
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"kind": "no_such_kind"}, "unknown-kind"), ({"domain": "no_such_domain"}, "unknown-domain")],
)
def test_a_kind_or_domain_nobody_knows_is_told(city: SmallCity, tax: System, fields: dict[str, str], code: str) -> None:
    refused = tax.upload([city.penalty(uscc(1))], **fields)
    assert (refused.status_code, problem_in(refused)["code"]) == (422, code)


def test_a_file_must_be_there_once_and_not_be_empty(city: SmallCity, tax: System) -> None:
    form = {"domain": "taxation", "kind": PENALTY}
    headers = {"Authorization": f"Bearer {tax.secret}"}
    assert problem_in(tax.client.post(BATCHES, form, headers=headers))["errors"][0]["field"] == "file"
    assert problem_in(tax.upload(b""))["code"] == "file-empty"
    from django.core.files.uploadedfile import SimpleUploadedFile

    two = [SimpleUploadedFile(f"{n}.csv", as_csv([city.penalty(uscc(n))])) for n in (1, 2)]
    twice = problem_in(tax.client.post(BATCHES, form | {"file": two}, headers=headers))
    assert twice["errors"] == [{"in": "form", "field": "file", "detail": "只能写一次。"}]
    assert not Upload.objects.exists()


def test_what_is_sent_is_not_repeated_in_the_problem(tax: System) -> None:
    number = "11010519491231002X"
    problem = problem_in(tax.upload(b"x", kind=number.lower() + "!", covers_from=number, covers_through=number))
    assert number not in str(problem).upper()
