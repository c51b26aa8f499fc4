"""Public statistics: the page and the open data say the same totals, and nothing small or anybody's."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.test import Client
from django.utils import timezone

from tests.module_database import module_database
from tests.small_city import build_small_city, today
from tests.web.test_frame import INLINE
from xinzheng.apps.oversight.desk_models import DayTally, TalliedDay
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.saving import saving
from xinzheng.apps.oversight.statistics import PolicyTotals, public_figures
from xinzheng.config import environment
from xinzheng.core.coverage_calendar import Month
from xinzheng.web.templatetags.pages import roughly

db = module_database
PAGE, DATA = "/statistics", "/open-data/statistics.json"
SUZHOU, HUZHOU = "suzhou-2024", "huzhou-2023"


@pytest.fixture(scope="module", autouse=True)
def city(db: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Suzhou with every unit's data but one's up to today; of Huzhou nobody is registered."""
    built = build_small_city(tmp_path_factory.mktemp("city"), units_per_domain=1)
    built.declare_everything(without=[("taxation", built.unit("taxation"))])
    built.declare(built.unit("taxation"), "taxation", through=today() - timedelta(days=60))


@pytest.fixture(autouse=True)
def undone(city: None) -> Iterator[None]:
    caches["local"].clear()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def tallied(counts: dict[tuple[date, str], int], policy_id: str = SUZHOU, domains: int = 20) -> None:
    """Reports of some days, as the tallies would have them; every day from the first to yesterday is tallied."""
    if not TalliedDay.objects.exists():
        first = today() - timedelta(days=500)
        TalliedDay.objects.bulk_create(TalliedDay(day=first + timedelta(days=n)) for n in range(500))
    for (day, outcome), count in counts.items():
        found = {"issued": (outcome, count), "replaced": ("", count * domains), "looks": ("scan", 3 * count)}
        for figure, (key, number) in found.items():
            known, _ = DayTally.objects.get_or_create(
                day_id=day, figure=figure, policy_id=policy_id, key=key, defaults={"count": number}
            )
            assert known.count == number


def months_ago(months: int) -> date:
    return Month.of(today()).plus(-months).first


def of(policy_id: str) -> PolicyTotals:
    return next(one for one in public_figures(timezone.now()).policies if one.policy.id == policy_id)


def data(client: Client) -> dict[str, Any]:
    answer = client.get(DATA)
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.content)
    return found


def test_totals_are_told_with_what_they_are_made_of(client: Client) -> None:
    tallied({(months_ago(1), "clear"): 30, (months_ago(2), "not_clear"): 10})
    tallied({(months_ago(1), "clear"): 8}, HUZHOU, domains=40)
    found = public_figures(timezone.now())
    assert (found.reports, found.certificates, found.hours_saved) == (48, 1120, 2240)
    suzhou = of(SUZHOU)
    assert (suzhou.reports, suzhou.certificates, suzhou.verifications, suzhou.hours_saved) == (40, 800, 120, 1600)
    page = client.get(PAGE).content.decode()
    assert "出具专用信用报告48份，代替逐家去开的证明1,120份" in page
    assert "2,240小时（估算" in page
    assert roughly(1_385_920) == "138.6万"
    assert INLINE.search(page) is None
    assert page.count("<h1") == 1


def test_programs_read_the_same_in_a_form_that_is_told(client: Client) -> None:
    tallied({(months_ago(1), "clear"): 30})
    found = data(client)
    assert found["format"] == "xinzheng.statistics/1"
    assert found["license"] == "CC BY 4.0"
    assert found["demonstration"] is True
    assert found["saving"]["is_estimate"] is True
    assert found["totals"] == {"reports": 30, "certificates_replaced": 600, "hours_saved": 1200}
    (suzhou,) = [one for one in found["policies"] if one["id"] == SUZHOU]
    assert (suzhou["reports"], suzhou["verifications"]) == (30, 90)
    assert [one["reports"] for one in suzhou["months"]] == [0] * 10 + [30, 0]
    assert suzhou["months"][-1]["is_partial"] is True
    page = client.get(PAGE).content.decode()
    assert f'href="{DATA}"' in page
    told = (Path(__file__).parents[2] / "docs" / "how-to" / "公开统计.md").read_text(encoding="utf-8")
    fields = [*found, *suzhou, *suzhou["months"][0], *suzhou["domains"][0], *found["saving"]]
    assert [name for name in fields if f"`{name}`" not in told] == []


def test_what_is_small_is_left_out_and_cannot_be_worked_out(client: Client) -> None:
    tallied({(months_ago(1), "clear"): 30, (months_ago(3), "clear"): 2, (months_ago(5), "clear"): 7})
    suzhou = of(SUZHOU)
    hidden = [one.month for one in suzhou.months if one.reports is None]
    # The small month and the next larger one, so that the total does not tell it.
    assert [month.first for month in hidden] == [months_ago(5), months_ago(3)]
    assert all(one.certificates is None for one in suzhou.months if one.reports is None)
    assert suzhou.reports == 39
    page = client.get(PAGE).content.decode()
    assert "不单列" in page
    assert "<svg viewBox" not in page.split("各月出具的报告")[1].split("</table>")[0]


def test_of_too_few_reports_nothing_is_told_not_even_by_their_domains(client: Client) -> None:
    tallied({(months_ago(1), "clear"): 3})
    found = data(client)
    assert found["totals"] == {"reports": None, "certificates_replaced": None, "hours_saved": None}
    for policy in found["policies"]:
        assert policy["reports"] is policy["certificates_replaced"] is policy["hours_saved"] is None
        assert policy["months"] == []
    assert "少于5份" in client.get(PAGE).content.decode()


def test_a_city_with_few_reports_hides_together_with_the_other() -> None:
    tallied({(months_ago(1), "clear"): 30})
    tallied({(months_ago(1), "clear"): 3}, HUZHOU)
    found = public_figures(timezone.now())
    assert found.reports == 33
    assert [totals.reports for totals in found.policies if totals.policy.id in (SUZHOU, HUZHOU)] == [None, None]


def test_how_fresh_each_domain_is_follows_from_what_units_stated() -> None:
    suzhou = of(SUZHOU)
    late = {domain.code: domain.through for domain in suzhou.domains if not domain.is_up_to_date}
    assert late == {"taxation": today() - timedelta(days=60)}
    assert suzhou.up_to_date == len(suzhou.domains) - 1
    assert of(HUZHOU).up_to_date == 0


def test_nobody_is_named_and_all_is_counted_once_in_a_while(client: Client) -> None:
    tallied({(months_ago(1), "clear"): 30})
    first = client.get(DATA)
    tallied({(months_ago(2), "clear"): 30})
    assert client.get(DATA).content == first.content
    assert "max-age=600" in first.headers["Cache-Control"]
    assert "9132" not in first.content.decode()


def test_a_city_brings_hours_of_its_own(settings: LazySettings, tmp_path: Path) -> None:
    assert (saving().spoken, saving().is_measured) == ("2", False)
    own = tmp_path / "saving.yaml"
    own.write_text(
        "hours_per_certificate: 3.5\ndated: 2026-03-01\nbasis: measured\nreason: 抽样调查。\n", encoding="utf-8"
    )
    settings.XINZHENG_SAVING = str(own)
    assert (saving().spoken, saving().of(10), saving().is_measured) == ("3.5", 35, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "hours_per_certificate: 2",
        "hours_per_certificate: -1\ndated: 2026-03-01\nbasis: measured\nreason: x",
        "hours_per_certificate: 2\ndated: soon\nbasis: measured\nreason: x",
        "hours_per_certificate: .nan\ndated: 2026-03-01\nbasis: measured\nreason: x",
        "hours_per_certificate: 2\ndated: 2026-03-01\nbasis: guessed\nreason: x",
        "hours_per_certificate: 2\ndated: 2026-03-01\nbasis: measured\nreason: ''",
        "{",
    ],
)
def test_a_file_of_hours_that_is_none_is_refused(settings: LazySettings, tmp_path: Path, text: str) -> None:
    own = tmp_path / "saving.yaml"
    own.write_text(text, encoding="utf-8")
    settings.XINZHENG_SAVING = str(own)
    with pytest.raises(OversightError, match="saving"):
        saving()
    with pytest.raises(ImproperlyConfigured, match="XINZHENG_SAVING"):
        environment.saving_file(str(own))
