"""The steps of growing (拓展步骤): a new domain, a new kind of subject; what is done, what lacks, where it is done."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from xinzheng.apps.oversight.growth import Lack, lacking_of
from xinzheng.apps.oversight.pack_rows import cases_in_force
from xinzheng.apps.oversight.proposal_views import OPEN, ProposalView, proposals_of
from xinzheng.apps.registry.queries import RegisteredUnit
from xinzheng.apps.registry.unit_queries import ResponsibleUnit, responsible_units
from xinzheng.apps.reports.pack_queries import recorded
from xinzheng.apps.reports.packs import current_policy, stored_files, stored_policy
from xinzheng.core.coverage import GapReason
from xinzheng.core.policy import Policy, PolicyDomain
from xinzheng.core.sentences import spoken_date
from xinzheng.core.subjects import SubjectKind

# Whoever only brings in what other units answer for is not idle.
IDLE_UNITS = """
    SELECT u.uscc FROM registry_unit u WHERE NOT EXISTS (
        SELECT 1 FROM registry_returnchannel c WHERE c.source_id = u.id
    ) AND NOT EXISTS (
        SELECT 1 FROM (
            SELECT DISTINCT ON (r.policy_id, r.domain, r.kind) r.is_ended
            FROM registry_responsibility r JOIN audit_position p ON p.entry_id = r.entry_id
            WHERE r.unit_id = u.id ORDER BY r.policy_id, r.domain, r.kind, p.position DESC
        ) last WHERE NOT last.is_ended
    )
"""
KINDS_REGISTERED = "SELECT DISTINCT kind FROM registry_subjectversion WHERE kind IS NOT NULL"
SUBJECT_WORDS: Mapping[SubjectKind, str] = {
    SubjectKind.ENTERPRISE_LEGAL_PERSON: "企业法人",
    SubjectKind.UNINCORPORATED_ENTERPRISE: "非法人企业",
    SubjectKind.INDIVIDUAL_BUSINESS: "个体工商户",
    SubjectKind.COOPERATIVE: "农民专业合作社",
    SubjectKind.SOCIAL_ORGANISATION: "社会组织",
    SubjectKind.PUBLIC_INSTITUTION: "事业单位",
    SubjectKind.NATURAL_PERSON: "自然人",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step (步骤): done or lacking, in a sentence, and where it is done."""

    name: str
    is_done: bool
    said: str
    url: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Growing:
    """Something that is being added (拓展对象), with its steps in order."""

    code: str
    name: str
    steps: Sequence[Step]

    @property
    def lacks(self) -> int:
        """How many steps are not done."""
        return sum(not step.is_done for step in self.steps)


@dataclass(frozen=True, slots=True)
class Coming:
    """A pack that is not in force yet (待生效、待会签的政策包): from its publication, or from the proposal."""

    policy: Policy
    from_date: date
    proposal: ProposalView | None
    cases: Mapping[str, bytes]


def coming_packs(policy_id: str, day: date) -> list[Coming]:
    """The packs that were published for a later day, then those that wait for signatures."""
    found = []
    for one in recorded().publications.get(policy_id, ()):
        if one.from_date > day:
            policy = stored_policy(bytes.fromhex(one.sha256))
            found.append(Coming(policy, one.from_date, None, cases_in_force(policy)))
    for view in proposals_of(policy_id, ["pack"]):
        if view.state == OPEN:
            policy = stored_policy(bytes.fromhex(view.pack_sha256))
            cases = stored_files(bytes.fromhex(view.facts["cases"]))
            found.append(Coming(policy, date.fromisoformat(view.facts["from_date"]), view, cases))
    return found


def growing_domains(policy_id: str, day: date, comings: Sequence[Coming]) -> list[Growing]:
    """Each domain that a coming pack (``coming_packs``) names and the one in force does not, with what it lacks."""
    known = {domain.code for domain in current_policy(policy_id, day).domains}
    answering = responsible_units(policy_id)
    found: dict[str, Growing] = {}
    for coming in comings:
        new = [domain for domain in coming.policy.domains if domain.code not in known]
        lacks = lacking_of(coming.policy, day) if new else ()
        for domain in new:
            if domain.code not in found:
                steps = _domain_steps(domain, coming, answering, [one for one in lacks if one.domain == domain.code])
                found[domain.code] = Growing(domain.code, domain.name, steps)
    return list(found.values())


def _domain_steps(
    domain: PolicyDomain, coming: Coming, answering: Sequence[ResponsibleUnit], lacks: Sequence[Lack]
) -> list[Step]:
    units = [one.name for one in answering if one.domain == domain.code]
    orphaned = [one for one in lacks if one.reason is GapReason.NOBODY_RESPONSIBLE]
    late = [one for one in lacks if one.reason is not GapReason.NOBODY_RESPONSIBLE]
    kind = orphaned[0].kind if orphaned else str(domain.kinds[0])
    page = f"/office/growth?policy={coming.policy.id}&domain={domain.code}%20{kind}"
    said = "，".join(f"{one.unit_name}{one.why}" for one in late[:5]) + ("等" if len(late) > 5 else "")
    mentioned = _mentions(coming.cases, domain.code)
    return [
        _pack_step(coming),
        Step(
            "明确责任单位",
            not orphaned,
            "、".join(units) if not orphaned else "每种数据都要有责任单位；现在没有的，生效后一律未能核查。",
            f"{page}#duty-h",
            "登记报送责任",
        ),
        Step(
            "数据归集到位",
            bool(units) and not late,
            said or ("数据覆盖整个查询期。" if units else "先明确责任单位。"),
            "/guide/unit",
            "看单位怎样报送",
        ),
        Step(
            "写好用例",
            mentioned > 0,
            f"用例中提到{mentioned}处。" if mentioned else "还没有用例涉及这个领域，请随政策包一起上传。",
            "/office/policies#draft-h",
            "上传政策包和用例",
        ),
    ]


def _pack_step(coming: Coming) -> Step:
    day = spoken_date(coming.from_date)
    if coming.proposal is None:
        return Step(
            "列入政策包", True, f"已发布，自{day}起施行。", f"/office/policies?policy={coming.policy.id}", "看政策包"
        )
    lacks = "、".join(coming.proposal.lacks)
    return Step(
        "列入政策包",
        False,
        f"已提交，拟自{day}起施行，还缺{lacks}会签。",
        f"/office/policies/drafts/{coming.proposal.id}",
        "去会签",
    )


def growing_kinds(policy_id: str, day: date, comings: Sequence[Coming]) -> list[Growing]:
    """Each kind of subject that the pack in force does not serve, with what serving it would take."""
    policy = current_policy(policy_id, day)
    served = {one.kind for one in policy.subject_kinds}
    with connection.cursor() as cursor:
        cursor.execute(KINDS_REGISTERED)
        registered = {kind for (kind,) in cursor.fetchall()}
    return [
        Growing(str(kind), SUBJECT_WORDS[kind], _kind_steps(kind, comings, is_registered=kind in registered))
        for kind in SubjectKind
        if kind not in served
    ]


def _kind_steps(kind: SubjectKind, coming: Sequence[Coming], *, is_registered: bool) -> list[Step]:
    pack = next((one for one in coming if kind in {served.kind for served in one.policy.subject_kinds}), None)
    # A case of the pack in force that names the kind says that it is refused.
    mentioned = _mentions(pack.cases, str(kind)) if pack else 0
    steps = [
        _pack_step(pack)
        if pack
        else Step(
            "列入政策包",
            False,
            f"在 subject_kinds 写明 {kind} 和依据，在 wording 写明 kind_{kind} 的说法。",
            "/office/policies#draft-h",
            "上传政策包",
        ),
        Step(
            "名录里有这类主体",
            is_registered,
            "名录里已有。" if is_registered else "导入登记机关的名录：xinzheng subjects import。",
            "" if is_registered else "/office/review",
            "" if is_registered else "看待核主体",
        ),
        Step(
            "写好用例",
            mentioned > 0,
            f"用例中提到{mentioned}处。" if mentioned else f"随政策包一起上传 kind 是 {kind} 的用例。",
            "/office/policies#draft-h",
            "上传用例",
        ),
    ]
    if kind is SubjectKind.NATURAL_PERSON:
        said = "自然人由身份核验平台登录，本人办理；号码加密保存，名单核查不核查自然人。"
        steps.append(
            Step("身份核验", False, f"{said}请系统管理员核对已接入核验平台。", "/office/connections", "看接入登记")
        )
    return steps


def idle_units(units: Iterable[RegisteredUnit]) -> list[RegisteredUnit]:
    """Those of the units that answer for nothing: named, and no responsibility written yet."""
    with connection.cursor() as cursor:
        cursor.execute(IDLE_UNITS)
        idle = {uscc for (uscc,) in cursor.fetchall()}
    return [unit for unit in units if unit.uscc in idle and not unit.is_office]


def _mentions(cases: Mapping[str, bytes], word: str) -> int:
    """How often case files name a code."""
    sought = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    return sum(len(sought.findall(content.decode(errors="replace"))) for content in cases.values())
