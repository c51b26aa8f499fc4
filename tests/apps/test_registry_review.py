"""The review queue: what came without standing in the register is shown, decided once, and never lost."""

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.small_city import SmallCity, build_small_city, uscc
from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.queries import records_at
from xinzheng.apps.registry.actions import (
    Sighting,
    confirm_subject,
    import_subjects,
    link_subject,
    register_unknown_subjects,
    reject_subject,
    withdraw_succession,
)
from xinzheng.apps.registry.queries import (
    ReviewError,
    ReviewFilter,
    find_subject,
    review_counts,
    review_item,
    review_queue,
    subject_at,
    ties_at,
)
from xinzheng.core.identifiers import identity_check_character
from xinzheng.core.subjects import SubjectKind, Tie

pytestmark = pytest.mark.django_db

KNOWN, TYPED, OTHER = uscc(1), uscc(2), uscc(3)
COMPANY = SubjectKind.ENTERPRISE_LEGAL_PERSON
NUMBER = "33050219900101001" + identity_check_character("33050219900101001")


@pytest.fixture
def city(tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path)


def key(code: str) -> int:
    found = find_subject(code)
    assert found is not None
    return found


def met(*sightings: Sighting) -> None:
    entry = open_entry(kind="batch", by="test")
    register_unknown_subjects(sightings, entry=entry)
    take_position(entry)


def refusal(error: pytest.ExceptionInfo[ReviewError]) -> str:
    return error.value.code


def test_an_item_shows_the_names_the_units_and_the_records_it_came_with(city: SmallCity) -> None:
    rows = [
        city.penalty(TYPED, 行政相对人名称="甲公司"),
        city.penalty(TYPED, "苏税罚〔2026〕2号", 行政相对人名称="甲有限公司"),
    ]
    city.submit(rows)
    [item] = review_queue()
    assert (item.identifier, item.is_person, item.records) == (TYPED, False, 2)
    assert set(item.names) == {"甲公司", "甲有限公司"}
    assert item.units == ("市税务局",)
    assert item.came_with == "batch"
    assert review_item(item.subject_id) == item


def test_a_person_in_the_queue_is_masked(city: SmallCity) -> None:
    met(Sighting(NUMBER, "示例甲某", is_person=True))
    [item] = review_queue()
    assert (item.identifier, item.names, item.is_person) == ("330502********001" + NUMBER[-1], ("示＊＊＊",), True)


def test_the_queue_is_paged_and_filtered(city: SmallCity) -> None:
    met(*(Sighting(uscc(10 + n), f"企业{n}") for n in range(5)), Sighting(NUMBER, "示例甲", is_person=True))
    first = review_queue(limit=4)
    rest = review_queue(limit=4, after=first[-1].subject_id)
    assert len({item.subject_id for item in (*first, *rest)}) == 6
    assert [item.is_person for item in review_queue(chosen=ReviewFilter(is_person=True))] == [True]
    assert [item.names for item in review_queue(chosen=ReviewFilter(text="企业3"))] == [("企业3",)]
    assert [item.identifier for item in review_queue(chosen=ReviewFilter(text=uscc(12).lower()))] == [uscc(12)]
    assert review_queue(chosen=ReviewFilter(state="rejected")) == []


def test_the_number_of_queries_does_not_grow_with_the_queue(city: SmallCity) -> None:
    counted = []
    for start in (20, 40):
        city.submit([city.penalty(uscc(start + n), f"苏税罚〔2026〕{start + n}号") for n in range(start // 2)])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            review_queue()
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 6


def test_confirming_writes_name_and_kind_and_leaves_the_queue(city: SmallCity) -> None:
    met(Sighting(TYPED, "甲"))
    before = head_position()
    position = confirm_subject(key(TYPED), name=" 甲有限公司 ", kind=COMPANY, by="account:7")
    assert subject_at(key(TYPED), position).name == "甲有限公司"
    assert subject_at(key(TYPED), before).name == "甲"
    assert review_queue() == []
    outcome = review_item(key(TYPED)).outcome
    assert outcome is not None
    assert (outcome.outcome, outcome.by) == ("confirmed", "account:7")
    assert review_counts() == {"open": 0, "confirmed": 1, "linked": 0, "rejected": 0, "imported": 0}
    assert AuditEvent.objects.filter(action="review-confirmed", who="account:7").count() == 1


def test_a_person_is_confirmed_under_the_new_name_and_nothing_else(city: SmallCity) -> None:
    met(Sighting(NUMBER, "示例甲", is_person=True))
    with pytest.raises(ReviewError) as refused:
        confirm_subject(key(NUMBER), name="示例乙丙", kind=COMPANY, by="test")
    assert refusal(refused) == "kind-unfit"
    confirm_subject(key(NUMBER), name="示例乙丙", kind=SubjectKind.NATURAL_PERSON, by="test")
    assert subject_at(key(NUMBER), head_position()).name == "示＊＊＊"


def test_a_mistyped_code_s_records_stay_and_count_as_the_real_subject_s_own(city: SmallCity) -> None:
    real = city.firm(KNOWN)
    city.submit([city.penalty(TYPED)])
    typed, before = key(TYPED), head_position()
    position = link_subject(typed, to=real, reason="末位错录", by="test")
    assert ties_at(real, position) == {real: Tie.SELF, typed: Tie.SELF}
    assert ties_at(real, before) == {real: Tie.SELF}
    [record] = records_at(ties_at(real, position), position, "320500")
    assert record.tie is Tie.SELF
    assert records_at({typed: Tie.SELF}, position, "320500") != ()
    withdraw_succession((typed, real, "mistyped"), reason="认错了", by="test")
    assert ties_at(real, head_position()) == {real: Tie.SELF}


def test_a_file_may_not_bring_a_linked_code_as_a_subject_unless_the_link_is_withdrawn(
    city: SmallCity, tmp_path: Path
) -> None:
    real = city.firm(KNOWN)
    met(Sighting(TYPED, "甲"))
    link_subject(key(TYPED), to=real, reason="错录", by="test")
    path = tmp_path / "名录.csv"
    path.write_text(f"名称,代码\n甲公司,{TYPED}\n", "utf-8")
    assert [defect.code for defect in import_subjects(path, by="test").defects] == ["code-linked"]
    withdraw_succession((key(TYPED), real, "mistyped"), reason="确有其人", by="test")
    assert import_subjects(path, by="test").changed == 1


def test_an_unfit_link_is_refused(city: SmallCity) -> None:
    met(Sighting(TYPED, "甲"), Sighting(OTHER, "乙"), Sighting(NUMBER, "示例甲", is_person=True))
    real = city.firm(KNOWN)
    for to in (key(TYPED), key(OTHER), key(NUMBER), 0):
        with pytest.raises(ReviewError) as refused:
            link_subject(key(TYPED), to=to, reason="错录", by="test")
        assert refusal(refused) == "link-unfit"
    with pytest.raises(ReviewError) as refused:
        link_subject(key(NUMBER), to=real, reason="错录", by="test")
    assert refusal(refused) == "link-unfit"


def test_nothing_is_linked_to_what_was_no_subject_itself_but_to_a_confirmed_one(city: SmallCity) -> None:
    met(Sighting(TYPED, "甲"), Sighting(OTHER, "乙"), Sighting(KNOWN, "丙"))
    reject_subject(key(OTHER), reason="测试数据", by="test")
    with pytest.raises(ReviewError) as refused:
        link_subject(key(TYPED), to=key(OTHER), reason="错录", by="test")
    assert refusal(refused) == "link-unfit"
    confirm_subject(key(KNOWN), name="丙公司", kind=COMPANY, by="test")
    link_subject(key(TYPED), to=key(KNOWN), reason="错录", by="test")
    assert ties_at(key(KNOWN), head_position())[key(TYPED)] is Tie.SELF


def test_rejecting_wants_a_reason_without_an_identity_number(city: SmallCity) -> None:
    met(Sighting(TYPED, "甲"))
    for reason, code in (("  ", "reason-missing"), (f"与{NUMBER}重复", "reason-personal")):
        with pytest.raises(ReviewError) as refused:
            reject_subject(key(TYPED), reason=reason, by="test")
        assert refusal(refused) == code
    reject_subject(key(TYPED), reason="测试数据", by="test")
    outcome = review_item(key(TYPED)).outcome
    assert outcome is not None
    assert (outcome.words, outcome.reason) == ("不予登记", "测试数据")


def test_an_item_is_decided_once(city: SmallCity) -> None:
    met(Sighting(TYPED, "甲"))
    reject_subject(key(TYPED), reason="测试数据", by="test")
    with pytest.raises(ReviewError) as refused:
        confirm_subject(key(TYPED), name="甲", kind=COMPANY, by="test")
    assert refusal(refused) == "review-decided"
    with pytest.raises(ReviewError) as refused:
        reject_subject(city.firm(KNOWN), reason="不在待核", by="test")
    assert refusal(refused) == "review-unknown"
