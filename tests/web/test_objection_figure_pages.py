"""The pages of figures: totals for everybody without small numbers, all of it for the office and the leads."""

from collections.abc import Iterator
from datetime import date
from io import BytesIO

import pytest
from django.conf import LazySettings
from django.core.cache import caches
from django.db import transaction
from django.test import Client
from python_calamine import CalamineWorkbook

from tests import told_time
from tests.module_database import module_database
from tests.redress_city import RedressCity, build_redress_city, do, lodge_one
from tests.web.conftest import client_of
from xinzheng.core.objections import Act, Ground

db = module_database
OFFICE, PUBLIC = "/office/figures/objections", "/figures/objections"


@pytest.fixture(scope="module")
def built(db: None, tmp_path_factory: pytest.TempPathFactory) -> RedressCity:
    return build_redress_city(tmp_path_factory.mktemp("redress"))


@pytest.fixture
def city(built: RedressCity, settings: LazySettings) -> Iterator[RedressCity]:
    """The city on a day in June; what a test does is undone."""
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    told_time.tell(date(2026, 6, 1))
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)
    told_time.forget()


def lodged(city: RedressCity, count: int) -> list[str]:
    """So many objections, told apart by what is missing; each on a day of its own, as one may only lodge so many."""
    numbers = []
    for serial in range(count):
        told_time.tell(date(2026, 6, 1 + serial))
        numbers.append(lodge_one(city, Ground.MISSING, document_number=f"苏水罚〔2025〕{serial}号").number)
    return numbers


def test_everybody_reads_totals_and_nothing_that_could_point_at_one_company(city: RedressCity) -> None:
    public = Client()
    for number in lodged(city, 4)[:1]:
        do(city, number, Act.DECLINE, "office")
    told_time.tell(date(2026, 7, 1))
    page = public.get(PUBLIC).content.decode()
    assert "提出异议少于5件，不分列。" in page
    assert "<table" not in page
    told_time.tell(date(2026, 6, 5))
    lodge_one(city, Ground.MISSING, document_number="苏水罚〔2025〕99号")
    told_time.tell(date(2026, 7, 1))
    caches["local"].clear()
    page = public.get(PUBLIC).content.decode()
    assert "提出异议5件。" in page
    assert page.count("不单列</span>") == 2  # one declined, four open
    assert "水务" not in page
    assert public.get(f"{PUBLIC}?year=2024").status_code == 200
    assert public.get(f"{PUBLIC}?year=1999").status_code == 404


def test_the_office_reads_units_and_takes_them_away(city: RedressCity) -> None:
    number = lodged(city, 1)[0]
    do(city, number, Act.ACCEPT, "office", unit_id=city.unit)
    told_time.tell(date(2026, 6, 30))
    office = client_of(city.accounts["office"])
    page = office.get(OFFICE).content.decode()
    assert "提出1件，作出结论0件；超期1件。" in page
    assert "行政处罚" in page
    book = office.get(f"{OFFICE}.xlsx?from=2026-06-01&to=2026-06-30")
    assert "objections-20260601-20260630.xlsx" in book.headers["Content-Disposition"]
    assert "按单位" in CalamineWorkbook.from_filelike(BytesIO(book.content)).sheet_names
    assert "这段时间没有人提出异议" in office.get(f"{OFFICE}?from=2026-01-01&to=2026-01-31").content.decode()
    assert client_of(city.accounts["chief"]).get(OFFICE).status_code == 403


@pytest.mark.parametrize("period", ["from=0001-01-01&to=0001-01-02", "from=9999-12-30&to=9999-12-31"])
def test_the_ends_of_time_are_periods_like_others(city: RedressCity, period: str) -> None:
    assert client_of(city.accounts["office"]).get(f"{OFFICE}?{period}").status_code == 200


@pytest.mark.parametrize("period", ["from=x", "from=2026-06-02&to=2026-06-01", "from=2020-01-01&to=2026-01-01"])
def test_an_unfit_period_is_told_at_its_field(city: RedressCity, period: str) -> None:
    refused = client_of(city.accounts["office"]).get(f"{OFFICE}?{period}")
    assert refused.status_code == 422
    assert 'id="from-error"' in refused.content.decode()
