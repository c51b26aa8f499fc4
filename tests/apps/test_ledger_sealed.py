"""A line marked as sealed that had to be rejected: nobody is told, and nobody is cleared by what was not read."""

from pathlib import Path

import pytest
from django.utils import timezone

from tests.small_city import BY, LONG_AGO, SmallCity, build_small_city, today, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import submit_batch
from xinzheng.apps.ledger.models import Line
from xinzheng.apps.registry.queries import find_subject
from xinzheng.apps.reports.cases import Question, answer_question
from xinzheng.apps.reports.packs import current_calendar, current_policy
from xinzheng.core.decision import DomainResult, Request, Result

FIRM, OTHER = uscc(1), uscc(2)
BROKEN = {"处罚决定日期": "2026-02-30"}


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    city = build_small_city(tmp_path, units_per_domain=1)
    city.declare_everything()
    for code in (FIRM, OTHER):
        city.firm(code)
    return city


def taxation(code: str) -> DomainResult:
    """What is answered now about a firm in the domain."""
    subject = find_subject(code)
    assert subject is not None
    policy = current_policy("suzhou-2024")
    question = Question(policy, current_calendar(), subject, Request(), timezone.now(), head_position())
    return next(d for d in answer_question(question).decision.domains if d.code == "taxation")


def test_a_rejected_line_blocks_its_subject_but_not_one_that_says_it_is_sealed(city: SmallCity) -> None:
    city.submit([city.penalty(FIRM, 依法封存="是", **BROKEN), city.penalty(OTHER, "2号", 依法封存="", **BROKEN)])
    assert Line.objects.filter(status="rejected").count() == 2
    assert (taxation(FIRM).result, taxation(FIRM).gaps) == (Result.NONE_FOUND, ())
    assert taxation(OTHER).result is Result.NOT_VERIFIABLE


def test_what_the_answer_says_is_what_it_says_once_the_line_is_mended(city: SmallCity) -> None:
    city.submit([city.penalty(FIRM, 依法封存="是", **BROKEN)])
    before = taxation(FIRM)
    assert city.submit([city.penalty(FIRM, 依法封存="是")]).mended == 1
    assert taxation(FIRM) == before


def test_a_line_mended_without_the_seal_counts(city: SmallCity) -> None:
    city.submit([city.penalty(FIRM, 依法封存="是", **BROKEN)])
    city.submit([city.penalty(FIRM)])
    assert taxation(FIRM).result is Result.RECORDS_FOUND


def test_the_statement_of_its_batch_waits_and_that_tells_of_nobody(city: SmallCity) -> None:
    broken = city.penalty(FIRM, 依法封存="是", **BROKEN)
    assert not city.submit([broken], covers=(LONG_AGO, today())).is_covered
    assert taxation(FIRM).result is Result.NOT_VERIFIABLE
    assert taxation(FIRM) == taxation(OTHER)


@pytest.mark.parametrize("seal", ["封", "是否"])
def test_a_seal_that_cannot_be_read_is_none(city: SmallCity, seal: str) -> None:
    city.submit([city.penalty(FIRM, 依法封存=seal)])
    assert taxation(FIRM).result is Result.NOT_VERIFIABLE


@pytest.mark.parametrize("more", [",1", ",,是"])
def test_a_seal_in_a_line_with_cells_too_many_is_none(city: SmallCity, more: str) -> None:
    delivery = city.delivery([city.penalty(FIRM, 依法封存="是")])
    text = delivery.file.read_text("utf-8-sig").rstrip("\r\n")
    delivery.file.write_text(f"{text}{more}\n", "utf-8-sig")
    assert submit_batch(delivery, by=BY).rejected == 1
    assert taxation(FIRM).result is Result.NOT_VERIFIABLE
