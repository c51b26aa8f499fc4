"""Corrected records beyond the usual: brought again by return, and a natural person's."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client

from tests.desk_pages import CHECK, DO, browser, page
from tests.module_database import module_database
from tests.redress_city import FIRM, RedressCity, build_redress_city, do, lodge_one
from tests.returning import Return, unit_id
from tests.small_city import build_small_city
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.ledger.corrections import current_row
from xinzheng.apps.ledger.models import RecordHead
from xinzheng.apps.redress.lodging import NewObjection, lodge
from xinzheng.apps.redress.upholding import Upholding, What, uphold
from xinzheng.apps.registry.persons import register_person
from xinzheng.core.objections import Act, Ground

db = module_database


@pytest.fixture(scope="module")
def built(module_database: None, tmp_path_factory: pytest.TempPathFactory) -> RedressCity:
    return build_redress_city(tmp_path_factory.mktemp("corrected"))


@pytest.fixture
def city(db: None, built: RedressCity) -> Iterator[RedressCity]:
    """What a test does is undone."""
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)


def test_the_old_row_brought_again_is_offered_to_be_explained(city: RedressCity) -> None:
    brought = Return(city.city)
    brought.bring(brought.row(FIRM))
    record = RecordHead.objects.latest("record_id").record_id
    unit = unit_id(brought.units[0])
    chief = open_account(NewAccount("finance-chief", "责任人", Role.RESPONSIBLE_OFFICER, unit_id=unit), by="test")
    made = lodge_one(city, record_id=record)
    do(city, made.number, Act.ACCEPT, "office")
    row = current_row(record)
    values = dict(row.values) | {"content": "罚款2万元"}
    uphold(Upholding(made.number, 2, What.CHANGED, "写错了", values, seen_version=row.version_id), account=chief)
    client = Client()
    client.force_login(chief)
    assert "又报来了更正以前的内容" not in page(client.get(f"/department/objections/{made.number}"))
    again = brought.bring(brought.row(FIRM))
    found = page(client.get(f"/department/objections/{made.number}"))
    assert "又报来了更正以前的内容" in found
    link = re.search(r'href="(/department/waiting[^"]*)#explain-h"', found)
    assert link is not None
    form = page(client.get(link[1].replace("&amp;", "&")))
    assert f"异议{made.number}成立，记录已经更正" in form
    assert f'value="{again.batch}"' in form


def test_a_person_s_record_is_corrected_without_showing_name_or_number(city: RedressCity, tmp_path: Path) -> None:
    huzhou, number, name = (
        build_small_city(tmp_path, "huzhou-2023", units_per_domain=1),
        "330502199001010014",
        "示例甲乙",
    )
    person, unit = register_person(number, name, by="test"), huzhou.unit("taxation")
    sources = {"处罚机关统一社会信用代码": unit, "数据来源单位统一社会信用代码": unit}
    huzhou.submit([huzhou.penalty("", 行政相对人名称=name, 行政相对人类别="自然人", 证件号码=number, **sources)])
    record = RecordHead.objects.get(subject_id=person).record_id
    agent = open_account(NewAccount("redress-person", "自然人", Role.SUBJECT_AGENT, person_id=person), by="test")
    new = NewAccount("tax-chief", "责任人", Role.RESPONSIBLE_OFFICER, unit_id=unit_id(unit))
    chief = Client()
    chief.force_login(open_account(new, by="test"))
    words = NewObjection(person, "huzhou-2023", Ground.WRONG, record, words="金额写错了")
    made = lodge(words, account=agent, key=uuid.uuid4())
    do(city, made.number, Act.ACCEPT, "office")
    address = f"/department/objections/{made.number}"
    form = page(chief.get(f"{address}?way=changed"))
    assert "f-subject_name" not in form
    row = current_row(record)
    values = {f"f-{key}": value for key, value in row.values.items()} | {"f-content": "罚款2万元"}
    asked = {"act": "changed", "seen": "2", "version": str(row.version_id), "reason": "写错了", **values}
    looks = [page(chief.post(f"{address}/act", asked | stage)) for stage in (CHECK, {"stage": "edit"})]
    assert chief.post(f"{address}/act", asked | DO).status_code == 302
    assert current_row(record).values["content"] == "罚款2万元"
    office = page(browser(city, "office").get(f"/office/objections/{made.number}"))
    for said in (form, office, *looks, page(chief.get("/department/objections?show=past"))):
        assert number not in said
        assert name not in said
