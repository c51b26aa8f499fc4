"""Proposals: put forward when they are sound, signed by two people of two offices, carried out once, never edited."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache, partial

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection, transaction

from tests import told_time
from tests.module_database import module_database, refusal_code, undone_after
from tests.small_city import PENALTY, SmallCity, build_small_city, uscc
from xinzheng.adapters.policy_files import case_files, pack_bytes, written_out
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent, Entry
from xinzheng.apps.codes.inbox import notices_for
from xinzheng.apps.oversight.growth import lacking
from xinzheng.apps.oversight.growth_steps import Growing, coming_packs, growing_domains, growing_kinds, idle_units
from xinzheng.apps.oversight.models import Proposal, ProposalSignature
from xinzheng.apps.oversight.pack_rows import planned_name
from xinzheng.apps.oversight.pack_versions import VersionState, pack_version, pack_versions, version_files
from xinzheng.apps.oversight.proposal_views import DONE, OPEN, WITHDRAWN, ProposalView, proposals_of
from xinzheng.apps.oversight.proposals import PROPOSAL_LOCK, NewProposal, put_forward, sign, withdraw
from xinzheng.apps.oversight.scopes import Scope, scopes_of
from xinzheng.apps.registry.queries import responsibilities_at, units_at
from xinzheng.apps.registry.responsibility_actions import NewUnit, name_unit
from xinzheng.apps.reports import packs
from xinzheng.apps.reports.models import PackPublication
from xinzheng.apps.reports.packs import current_policy, today
from xinzheng.apps.reports.publishing import Publishing, publish_pack
from xinzheng.core.coverage import GapReason
from xinzheng.core.errors import XinzhengError
from xinzheng.core.subjects import SubjectKind

POLICY, DOMAIN = "suzhou-2024", "meteorology"
NEW_DOMAIN = "    - {code: meteorology, name: 气象, units: 示例气象局}\n"
FIRE = "    - {code: fire_safety, name: 消防安全, units: 市消防救援支队，各县级市（区）}\n"

db, undone = module_database, undone_after
pytestmark = pytest.mark.usefixtures("undone", "told")


@pytest.fixture
def told(settings: LazySettings) -> Iterator[None]:
    """A day in the middle of the policy's time, whenever the tests run."""
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    told_time.tell(date(2025, 11, 20))
    yield
    told_time.forget()


@pytest.fixture(scope="module")
def city(db: None, tmp_path_factory: pytest.TempPathFactory) -> SmallCity:
    return build_small_city(tmp_path_factory.mktemp("city"), units_per_domain=1)


@pytest.fixture
def office(city: SmallCity) -> Account:
    return open_account(NewAccount("office", "信用办甲", Role.OFFICE_OPERATOR), by="test")


@pytest.fixture
def justice(city: SmallCity) -> Account:
    return open_account(NewAccount("justice", "司法局乙", Role.JUSTICE_LEAD), by="test")


@cache
def written(name: str = "policy.yaml") -> bytes:
    return written_out(pack_bytes(POLICY)[name])


def with_domain() -> dict[str, bytes]:
    """The pack with a domain more, and one more that its own count says."""
    text = written().decode()
    assert FIRE in text
    assert "claimed: 20" in text
    text = text.replace(FIRE, FIRE + NEW_DOMAIN).replace("claimed: 20", "claimed: 21")
    return {"policy.yaml": text.encode()}


def reworded() -> dict[str, bytes]:
    return {"policy.yaml": written().replace("它是依据简易程序作出的行政处罚".encode(), "它依简易程序作出".encode())}


def draft(**changed: object) -> NewProposal:
    facts = {"from_date": tomorrow().isoformat(), "document": "苏信用〔2025〕9号"}
    new = NewProposal("pack", POLICY, facts, "增加气象领域", with_domain(), cases())
    return replace(new, **changed)  # type: ignore[arg-type]  # fields of the proposal


@cache
def cases() -> dict[str, bytes]:
    """The shipped cases; the packs of these tests decide them alike."""
    return {path.name: written_out(path.read_bytes()) for path in case_files(POLICY)}


def tomorrow() -> date:
    return today() + timedelta(days=1)


def answer(deed: str, code: str, domain: str = DOMAIN) -> NewProposal:
    facts = {"deed": deed, "domain": domain, "kind": PENALTY, "uscc": code}
    return NewProposal("responsibility", POLICY, facts, "明确气象数据由谁报送")


def unit(code: str) -> NewProposal:
    facts = {"uscc": code, "name": "苏州示例气象局", "short_name": "示例气象局"}
    return NewProposal("unit", POLICY, facts, "新增报送单位")


def signed(made: ProposalView, *accounts: Account) -> ProposalView:
    for account in accounts:
        made = sign(made.id, made.facts_sha256, account=account)
    return made


def refusal(new: NewProposal, account: Account) -> XinzhengError:
    with pytest.raises(XinzhengError) as refused:
        put_forward(new, account=account)
    return refused.value


def test_a_pack_is_in_force_from_its_day_once_two_people_of_two_offices_signed(
    office: Account, justice: Account
) -> None:
    before = current_policy(POLICY)
    made = put_forward(draft(), account=office)
    assert (made.state, made.lacks) == (OPEN, ["信用办", "司法局"])
    assert put_forward(draft(), account=office).id == made.id, "sent twice it is one"
    assert PackPublication.objects.count() == 0, "putting forward puts nothing in force"
    half = signed(made, office)
    assert (half.state, half.lacks) == (OPEN, ["司法局"])
    assert PackPublication.objects.count() == 0
    done = signed(made, justice)
    published = PackPublication.objects.get()
    assert done.state == DONE
    assert published.entry.actor == justice.actor
    assert (published.from_date, published.document, published.reason) == (
        tomorrow(), "苏信用〔2025〕9号", "增加气象领域",
    )  # fmt: skip
    assert current_policy(POLICY).sha256 == before.sha256, "today's pack is today's"
    told_time.tell(tomorrow())
    assert current_policy(POLICY).sha256 == made.pack_sha256
    assert [domain.code for domain in current_policy(POLICY).domains][-1] == DOMAIN
    acts = AuditEvent.objects.filter(object_kind__in=("proposal", "pack")).order_by("id")
    assert list(acts.values_list("action", flat=True)) == [
        "pack-proposed", "proposal-signed", "proposal-signed", "pack-published",
    ]  # fmt: skip


def test_two_clicks_at_once_wait_for_each_other(office: Account) -> None:
    first = connection.copy()
    try:
        with first.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [PROPOSAL_LOCK])
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '50ms'")
        with pytest.raises(OperationalError, match="lock timeout"), transaction.atomic():
            put_forward(unit(uscc(7)), account=office)
    finally:
        first.close()


def test_the_other_office_is_told_that_it_is_waited_for(office: Account, justice: Account) -> None:
    put_forward(draft(), account=office)
    assert [told.words for told in notices_for(justice)] == ["有一件政策事项等待会签。"]
    assert list(notices_for(office)) == []


def test_nobody_signs_twice_also_not_for_the_other_office(office: Account, justice: Account) -> None:
    made = put_forward(draft(), account=office)
    signed(made, office)
    put = partial(sign, made.id, made.facts_sha256)
    assert refusal_code(put, account=office) == "same-person"
    moved = Account.objects.get(pk=office.pk)
    moved.role = Role.JUSTICE_LEAD
    assert refusal_code(put, account=moved) == "same-person"
    colleague = open_account(NewAccount("office-2", "信用办丙", Role.OFFICE_OPERATOR), by="test")
    assert refusal_code(put, account=colleague) == "side-signed-already"
    assert refusal_code(sign, uuid.uuid4(), made.facts_sha256, account=justice) == "unknown-proposal"
    assert ProposalSignature.objects.count() == 1


def test_what_was_seen_is_what_is_signed(office: Account, justice: Account) -> None:
    made = put_forward(draft(), account=office)
    assert refusal_code(sign, made.id, "0" * 64, account=justice) == "proposal-changed"
    with connection.cursor() as cursor:  # somebody with the database's own rights
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE oversight_proposal SET facts = jsonb_set(facts, '{from_date}', '\"2025-12-31\"')")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert refusal_code(sign, made.id, made.facts_sha256, account=justice) == "proposal-changed"


def test_a_publication_in_between_stops_the_signing(office: Account, justice: Account) -> None:
    made = put_forward(draft(), account=office)
    extended = put_forward(
        NewProposal("extension", POLICY, {"document": "苏府办〔2026〕1号", "until_date": "2028-02-28"}, "延期一年"),
        account=office,
    )
    signed(made, office)
    signed(extended, office)
    files = {"core.yaml": pack_bytes(POLICY)["core.yaml"], **reworded()}
    publish_pack(Publishing(POLICY, files, tomorrow(), "", "命令行发布"), by="command-line")
    for one in (made, extended):
        assert refusal_code(sign, one.id, one.facts_sha256, account=justice) == "proposal-changed"
    assert ProposalSignature.objects.filter(role=Role.JUSTICE_LEAD).count() == 0, "the refused signature is not kept"
    assert PackPublication.objects.count() == 1


def test_another_shipped_pack_stops_the_signing_and_the_page_still_compares(
    office: Account, justice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = signed(put_forward(draft(), account=office), office)
    upgraded = {"core.yaml": pack_bytes(POLICY)["core.yaml"], **reworded()}
    monkeypatch.setattr(
        packs.ports.policy_files(), "pack_bytes", lambda one: upgraded if one == POLICY else pack_bytes(one)
    )
    caches = (packs._pack, packs._shipped)
    try:
        for one in caches:
            one.cache_clear()
        assert refusal_code(sign, made.id, made.facts_sha256, account=justice) == "proposal-changed"
        assert pack_version(POLICY, made.facts["after"]["pack"], today()).sha256 == made.facts["after"]["pack"]
    finally:
        for one in caches:
            one.cache_clear()


def test_what_was_signed_too_late_is_refused_as_a_whole(office: Account, justice: Account) -> None:
    made = put_forward(draft(), account=office)
    signed(made, office)
    told_time.tell(tomorrow())
    assert refusal_code(sign, made.id, made.facts_sha256, account=justice) == "pack-from-the-past"
    assert (PackPublication.objects.count(), ProposalSignature.objects.count()) == (0, 1)


def test_a_withdrawn_or_finished_proposal_is_done_with(office: Account, justice: Account) -> None:
    made = put_forward(draft(), account=office)
    assert refusal_code(withdraw, made.id, " ", account=justice) == "reason-missing"
    gone = withdraw(made.id, "另行研究", account=justice)
    assert (gone.state, gone.end_reason) == (WITHDRAWN, "另行研究")
    assert refusal_code(sign, made.id, made.facts_sha256, account=office) == "proposal-ended"
    again = signed(put_forward(draft(), account=office), office, justice)
    assert refusal_code(withdraw, again.id, "后悔", account=office) == "proposal-ended"
    assert {view.state for view in proposals_of(POLICY)} == {DONE, WITHDRAWN}


def test_a_wrong_file_is_refused_with_its_line_and_nothing_is_kept(office: Account) -> None:
    text = written().decode().replace("effect: excluded", "effect: exclude", 1)
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "effect: exclude" in one and "excluded" not in one)
    found = refusal(draft(files={"policy.yaml": text.encode()}), office)
    assert found.code == "draft-unfit"
    assert [(one.file, one.line) for one in found.context["mistakes"]] == [("policy.yaml", line)]  # type: ignore[attr-defined]
    assert Proposal.objects.count() == 0
    assert refusal(draft(files={}), office).code == "draft-missing"
    assert refusal(draft(files={"policy.yaml": b"id: 330502199001010014\n"}), office).code == "draft-holds-numbers"
    other = {"policy.yaml": written_out(pack_bytes("huzhou-2023")["policy.yaml"])}
    assert refusal(draft(files=other), office).code == "draft-unfit"


def test_a_draft_that_decides_its_cases_otherwise_is_refused(office: Account) -> None:
    text = (
        written()
        .decode()
        .replace("when: {field: procedure, equals: summary}", "when: {field: procedure, equals: hearing}")
    )
    found = refusal(draft(files={"policy.yaml": text.encode()}), office)
    assert found.code == "cases-fail"
    ran = found.context["ran"]
    assert ran
    assert all(one.differences and one.line for one in ran)  # type: ignore[attr-defined]


def test_what_could_not_be_carried_out_is_not_even_put_forward(office: Account) -> None:
    def code(**changed: object) -> str:
        return refusal(draft(**changed), office).code

    assert code(facts={"from_date": today().isoformat()}) == "pack-from-the-past"
    assert code(facts={"from_date": "morgen"}) == "date-unreadable"
    assert (
        code(files={"policy.yaml": written()}, facts={"from_date": tomorrow().isoformat()}) == "pack-published-already"
    )
    assert code(reason=" ") == "reason-missing"
    assert code(reason="致电13912345678") == "text-not-kept"
    assert code(kind="law") == "kind-unknown"
    assert code(policy_id="nowhere-1") == "unknown-policy"
    shorter = {"document": "苏府办〔2025〕1号", "until_date": "2025-12-31"}
    assert code(kind="extension", facts=shorter) == "extension-shorter"
    assert code(kind="extension", facts={"until_date": "2028-01-01"}) == "facts-missing"
    assert refusal(answer("add", uscc(7)), office).code == "domain-unknown"
    assert refusal(answer("add", uscc(7), "taxation"), office).code == "unit-unknown"
    assert refusal(answer("maybe", uscc(7)), office).code == "facts-missing"
    assert refusal(unit("x"), office).code == "uscc-wrong"
    assert Entry.objects.filter(kind__in=("pack-published", "unit-registered")).count() == 0
    assert Proposal.objects.count() == 0


def test_an_extension_prolongs_the_policy_with_its_document(office: Account, justice: Account) -> None:
    facts = {"document": "苏府办〔2026〕1号", "until_date": "2028-02-28", "note": "继续试行"}
    made = signed(put_forward(NewProposal("extension", POLICY, facts, "延期一年"), account=justice), justice, office)
    assert made.state == DONE
    extension = current_policy(POLICY).extension_on(date(2028, 1, 1))
    assert extension is not None
    assert (extension.document, extension.note) == ("苏府办〔2026〕1号", "继续试行")


def test_a_new_domain_lacks_step_by_step_until_somebody_answers_and_delivers(
    city: SmallCity, office: Account, justice: Account
) -> None:
    assert growing() == []
    made = put_forward(draft(), account=office)
    assert steps_done() == [False, False, False, False]
    new = uscc(7)
    signed(put_forward(unit(new), account=office), office, justice)
    assert new in idle()
    signed(put_forward(answer("add", new), account=office), office, justice)
    assert new not in idle()
    assert steps_done() == [False, True, False, False]
    assert DOMAIN not in {scope.domain for scope in overseen()}, "nobody is late with what is not in force yet"
    assert planned_name(POLICY, DOMAIN) == "气象"
    city.declare(new, DOMAIN)
    assert steps_done() == [False, True, True, False]
    signed(made, office, justice)
    assert steps_done() == [True, True, True, False]
    told_time.tell(tomorrow())
    assert growing() == [], "it is in force"
    assert DOMAIN in {scope.domain for scope in overseen()}
    assert {who.unit for who in responsibilities_at(POLICY, 10**6) if who.domain == DOMAIN} == {new}
    signed(put_forward(answer("end", new), account=office), office, justice)
    assert [(one.reason, one.unit) for one in lacking(POLICY, today()) if one.domain == DOMAIN] == [
        (GapReason.NOBODY_RESPONSIBLE, "")
    ]


def test_a_unit_whose_records_the_policy_does_not_read_answers_for_nothing(office: Account) -> None:
    name_unit(NewUnit(uscc(7), "湖州示例税务局", "湖州示例税务局", "330500"), by="test")
    assert refusal(answer("add", uscc(7), "taxation"), office).code == "unit-elsewhere"


def steps_done() -> list[bool]:
    (found,) = growing()
    return [step.is_done for step in found.steps]


def overseen() -> list[Scope]:
    return scopes_of(current_policy(POLICY), 10**6)


def idle() -> set[str]:
    return {one.uscc for one in idle_units(units_at(10**6).values())}


def growing() -> list[Growing]:
    return growing_domains(POLICY, today(), coming_packs(POLICY, today()))


def test_lacks_name_unit_reason_and_day(city: SmallCity) -> None:
    city.declare_everything(without=[("taxation", city.unit("taxation")), ("commerce", city.unit("commerce"))])
    city.declare(city.unit("taxation"), "taxation", through=date(2025, 6, 30))
    found = {one.domain: (one.unit, one.reason, one.since) for one in lacking(POLICY, today())}
    assert found == {
        "taxation": (city.unit("taxation"), GapReason.ENDS_EARLY, date(2025, 6, 30)),
        "commerce": (city.unit("commerce"), GapReason.NEVER_DELIVERED, None),
    }


def test_a_kind_of_subject_that_is_not_served_says_what_it_takes(city: SmallCity) -> None:
    kinds = {one.code: one for one in growing_kinds(POLICY, today(), [])}
    assert SubjectKind.ENTERPRISE_LEGAL_PERSON not in kinds
    assert [step.name for step in kinds["natural_person"].steps] == [
        "列入政策包", "名录里有这类主体", "写好用例", "身份核验",
    ]  # fmt: skip
    assert not any(step.is_done for step in kinds["cooperative"].steps[:2])


def test_versions_are_told_apart_and_any_can_be_begun_with(office: Account, justice: Account) -> None:
    shipped = current_policy(POLICY).sha256
    made = signed(put_forward(draft(), account=office), office, justice)
    waiting = put_forward(draft(files=reworded()), account=office)
    found = [(one.sha256, one.state, one.proposal_id) for one in pack_versions(POLICY, today())]
    assert found == [
        (waiting.pack_sha256, VersionState.DRAFT, waiting.id),
        (made.pack_sha256, VersionState.COMING, made.id),
        (shipped, VersionState.IN_FORCE, None),
    ]
    told_time.tell(tomorrow())
    assert [one.state for one in pack_versions(POLICY, today())][1:] == [VersionState.IN_FORCE, VersionState.PAST]
    files = version_files(current_policy(POLICY))
    assert NEW_DOMAIN.encode() in files["policy.yaml"]
    assert {*cases()} < {*files}
