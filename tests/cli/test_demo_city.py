"""The demonstration city in the ledger: loaded through the real intake, its characters as promised."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from xinzheng.apps.accounts.mandate_queries import subjects_of
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.codes.receiver_queries import tie_of
from xinzheng.apps.ledger.delivery import today_in_china
from xinzheng.apps.ledger.models import Batch, RecordVersion
from xinzheng.apps.oversight.models import Bulletin, Reconciliation
from xinzheng.apps.oversight.queries import View, coverage_calendar_of, due_date
from xinzheng.apps.oversight.rulings import rulings_in_force
from xinzheng.apps.redress.models import Correction, ObjectionHead, RepairCase, Step
from xinzheng.apps.registry.models import Subject
from xinzheng.apps.registry.queries import find_subject
from xinzheng.apps.reports.cases import answer_question
from xinzheng.apps.reports.issuing import question_now
from xinzheng.apps.reports.packs import current_policy
from xinzheng.cli.demo_city import marks
from xinzheng.cli.demo_city.accounts import open_demo_accounts
from xinzheng.cli.demo_city.characters import known_codes
from xinzheng.cli.demo_city.loading import Loaded, load_city
from xinzheng.cli.demo_city.organs import deployments
from xinzheng.cli.demo_city.progress import PlainLines
from xinzheng.cli.demo_city.returning import DOMAIN, LEFT_TO_IT, returned_days
from xinzheng.core.coverage_calendar import Month, months_until
from xinzheng.core.decision import Decision, Request
from xinzheng.core.errors import XinzhengError

SUZHOU, HUZHOU = "suzhou-2024", "huzhou-2023"
DAYS_AGO = 20


@dataclass(frozen=True)
class LoadedCity:
    """The city as it was made some days ago, and as it was brought up to today."""

    wanted: marks.CityMark
    first: Loaded
    carried_on: Loaded


@pytest.fixture(scope="module")
def city(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[LoadedCity]:
    """Loaded once for all tests here, in a transaction that is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        wanted = marks.CityMark(7, 300, (), today_in_china())
        first = load_city(replace(wanted, today=wanted.today - timedelta(days=DAYS_AGO)), PlainLines())
        yield LoadedCity(wanted, first, load_city(wanted, PlainLines()))
        transaction.set_rollback(True)


def decision_of(role: str, policy_id: str) -> Decision:
    subject_id = find_subject(known_codes()[role])
    assert subject_id is not None
    return answer_question(question_now(current_policy(policy_id), subject_id, Request())).decision


def results(decision: Decision) -> dict[str, str]:
    return {domain.code: str(domain.result) for domain in decision.domains if domain.result != "none_found"}


def test_every_line_handed_in_is_accounted_for(city: LoadedCity) -> None:
    found = city.first
    assert found.is_new
    assert found.lines == found.new + found.changed + found.identical + found.rejected + found.duplicate
    assert min(found.new, found.identical, found.rejected, found.duplicate, found.mended) > 0
    handed_in = Batch.objects.exclude(mode="correction")
    assert sum(handed_in.values_list("lines", flat=True)) == found.lines


def test_the_clear_company_is_clear_in_all_twenty_domains(city: LoadedCity) -> None:
    decision = decision_of("clear", SUZHOU)
    assert str(decision.outcome) == "clear"
    assert len(decision.domains) == 20
    assert {str(section.result) for section in decision.other} == {"none_found"}


def test_the_company_with_records_shows_each_reason_for_not_counting(city: LoadedCity) -> None:
    decision = decision_of("records", SUZHOU)
    assert str(decision.outcome) == "not_clear"
    assert results(decision) == dict.fromkeys(
        ("ecology_environment", "water_affairs", "work_safety", "taxation"), "records_found"
    )
    clauses = {finding.clause.id: str(finding.effect) for finding in decision.findings}
    assert clauses == {
        "sealed": "excluded",
        "withdrawn": "excluded",
        "other-place": "excluded",
        "branch-own-report": "excluded",
        "summary-procedure": "excluded",
        "not-penalised": "excluded",
        "before-period": "excluded",
        "succession": "listed_apart",
        "repaired": "listed_apart",
        "under-objection": "marked",
        "under-review": "counted",
        "changed": "counted",
        "procedure-unknown": "counted",
        "penalty": "counted",
    }


def test_arrears_and_repairs_of_the_company_with_records_stand_under_other_information(city: LoadedCity) -> None:
    other = {section.code: section for section in decision_of("records", SUZHOU).other}
    assert {code: str(section.result) for code, section in other.items()} == {
        "social_insurance_arrears": "records_found",
        "housing_fund_arrears": "none_found",
        "credit_repair": "records_found",
    }
    assert len(other["social_insurance_arrears"].records) == 2


def test_a_rejected_line_makes_one_domain_not_verifiable_for_the_company_it_names(city: LoadedCity) -> None:
    decision = decision_of("pending", SUZHOU)
    assert str(decision.outcome) == "not_verifiable"
    assert results(decision) == {"transport": "not_verifiable"}


def test_the_company_of_huzhou_has_records_a_doubtful_one_and_two_units_missing(city: LoadedCity) -> None:
    decision = decision_of("huzhou", HUZHOU)
    assert str(decision.outcome) == "not_clear"
    assert results(decision) == {
        "market_regulation": "records_found",
        "taxation": "records_found",
        "comprehensive_enforcement": "not_verifiable",
        "postal": "not_verifiable",
        "state_grid": "not_verifiable",
    }
    excluded = {f.clause.id for f in decision.findings if str(f.effect) == "excluded"}
    assert excluded == {"repaired", "not-penalised"}


def test_the_person_has_a_repaired_penalty_and_a_hidden_one(city: LoadedCity) -> None:
    decision = decision_of("person", HUZHOU)
    assert str(decision.outcome) == "not_verifiable"
    assert results(decision) == {"postal": "not_verifiable", "state_grid": "not_verifiable"}
    assert {f.clause.id: f.hides for f in decision.findings} == {
        "repaired": False,
        "public-security-natural-person": True,
    }


def test_no_person_is_named_in_the_ledger(city: LoadedCity) -> None:
    number = known_codes()["person"]
    texts = {v.pk: str(v.payload) for v in RecordVersion.objects.all()}
    own = RecordVersion.objects.filter(subject_id=find_subject(number))
    assert own.count() == 2
    assert not [text for text in texts.values() if number in text]
    assert not [version for version in own if "示例航" in texts[version.pk]]


def test_a_returned_batch_stands_under_the_units_it_names_and_the_calendar_says_so(city: LoadedCity) -> None:
    platform = Account.objects.get(username="demo-platform")
    batch = Batch.objects.get(unit_id=platform.unit_id)
    assert (batch.lines, batch.new, batch.rejected, batch.held) == (5, 5, 0, False)
    assert platform.unit_id not in RecordVersion.objects.filter(batch_id=batch.pk).values_list("unit_id", flat=True)
    first, last = returned_days(city.wanted.today - timedelta(days=DAYS_AGO))
    policy = current_policy(SUZHOU)
    view = View(head_position(), months_until(Month.of(last), 2), due_date(policy, city.wanted.today))
    rows = [row for row in coverage_calendar_of(policy, view).rows if row.returned]
    assert [(row.scope.unit.short_name, row.scope.domain, row.scope.kind) for row in rows] == [
        (LEFT_TO_IT, DOMAIN, "administrative_penalty")
    ]
    assert rows[0].returned == {Month.of(first), Month.of(last)}
    assert not rows[0].is_late


def test_a_later_day_carries_the_statements_on_and_hands_in_nothing(city: LoadedCity) -> None:
    assert not city.carried_on.is_new
    assert city.carried_on.is_refreshed
    assert city.carried_on.batches == 0
    assert city.carried_on.statements > 200


def test_a_second_run_changes_nothing(city: LoadedCity) -> None:
    before = head_position(), Entry.objects.count(), Account.objects.count()
    loaded = load_city(city.wanted, PlainLines())
    assert not loaded.is_new
    assert not loaded.is_refreshed
    assert (head_position(), Entry.objects.count(), Account.objects.count()) == before


def test_another_seed_is_refused_while_this_city_is_there(city: LoadedCity) -> None:
    with pytest.raises(XinzhengError) as refused:
        load_city(replace(city.wanted, seed=8), PlainLines())
    assert refused.value.code == "demo-city-other"
    assert "--seed 7" in refused.value.message


def test_demonstration_accounts_have_their_roles_and_no_password(city: LoadedCity) -> None:
    accounts = {account.username: account for account in Account.objects.filter(username__startswith="demo-")}
    assert {name: account.role for name, account in accounts.items()} == {
        "demo-suzhou": Role.SUBJECT_AGENT,
        "demo-suzhou-records": Role.SUBJECT_AGENT,
        "demo-huzhou": Role.SUBJECT_AGENT,
        "demo-person": Role.SUBJECT_AGENT,
        "demo-water": Role.DEPARTMENT_OFFICER,
        "demo-water-head": Role.RESPONSIBLE_OFFICER,
        "demo-platform": Role.DEPARTMENT_OFFICER,
        "demo-office": Role.OFFICE_OPERATOR,
        "demo-admin": Role.SYSTEM_ADMINISTRATOR,
        "demo-justice": Role.JUSTICE_LEAD,
        "demo-security": Role.SECURITY_ADMINISTRATOR,
        "demo-auditor": Role.AUDITOR,
        "demo-receiver": Role.RECEIVER,
        "demo-receiver-new": Role.RECEIVER,
    }
    assert not any(account.has_usable_password() for account in accounts.values())
    assert accounts["demo-suzhou"].subject_id == find_subject(known_codes()["clear"])
    assert len(subjects_of(accounts["demo-suzhou"], today_in_china())) == 2
    assert accounts["demo-person"].person_id == find_subject(known_codes()["person"])
    states = {tie_of(accounts[name]).is_verified for name in ("demo-receiver", "demo-receiver-new")}
    assert states == {True, False}


def test_last_months_bulletins_are_published_as_demonstrations_and_a_reconciliation_is_signed(
    city: LoadedCity,
) -> None:
    bulletins = list(Bulletin.objects.order_by("policy_id"))
    assert [bulletin.policy_id for bulletin in bulletins] == ["huzhou-2023", "suzhou-2024"]
    assert len({bulletin.month for bulletin in bulletins}) == 1
    assert all(json.loads(bulletin.figures)["demonstration"] for bulletin in bulletins)
    reconciliation = Reconciliation.objects.get()
    assert reconciliation.agrees
    assert reconciliation.signature.account_id == Account.objects.get(username="demo-water-head").pk


@pytest.mark.django_db
def test_no_account_is_opened_while_demonstration_is_off() -> None:
    with override_settings(XINZHENG_DEMONSTRATION=False):
        assert open_demo_accounts(deployments()) == 0


@pytest.mark.django_db
def test_a_database_with_other_data_is_refused() -> None:
    Subject.objects.create()
    with pytest.raises(XinzhengError) as refused:
        load_city(marks.CityMark(7, 300, (), today_in_china()), PlainLines())
    assert refused.value.code == "not-a-demonstration"


def test_an_unknown_late_unit_is_refused_before_anything_is_written(city: LoadedCity) -> None:
    before = head_position()
    with pytest.raises(XinzhengError) as refused:
        load_city(replace(city.wanted, late=("没有的局",)), PlainLines())
    assert refused.value.code == "unknown-unit"
    assert head_position() == before


def test_objections_stand_at_each_stage_and_all_says_that_it_is_a_demonstration(city: LoadedCity) -> None:
    heads = {head.state: head.objection for head in ObjectionHead.objects.select_related("objection")}
    assert sorted(heads) == [
        "appealed",
        "awaited",
        "corrected",
        "declined",
        "dismissed",
        "intake",
        "more-asked",
        "with-unit",
    ]
    water = Account.objects.get(username="demo-water-head")
    assert heads["with-unit"].unit_id == water.unit_id
    said = [*Step.objects.exclude(reason="").values_list("reason", flat=True)]
    assert [one for one in said if "演示" not in one] == []
    assert Correction.objects.get().what == "changed"
    assert RepairCase.objects.get().steps.get().said == "handed-over"
    (ruled,) = rulings_in_force(SUZHOU)["procedure-unknown"]
    assert ruled.text.startswith("（演示）")
