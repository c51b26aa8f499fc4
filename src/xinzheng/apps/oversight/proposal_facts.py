"""The facts of a proposal (会签内容): everything that is decided by signing, complete, as plain values."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import rfc8785

from xinzheng.apps.audit.privacy import text_to_keep
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.draft_checks import checked_draft, kept_files
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.pack_rows import files_in_force, last_publication, planned_policies
from xinzheng.apps.oversight.scopes import NATIONWIDE
from xinzheng.apps.registry.queries import units_at
from xinzheng.apps.registry.responsibility_actions import known_unit
from xinzheng.apps.registry.unit_queries import responsible_units
from xinzheng.apps.reports.packs import current_policy, keep_pack
from xinzheng.core.identifiers import normalise_identifier
from xinzheng.core.policy import Policy

DOCUMENT_AT_MOST = 100
NOTE_AT_MOST = 300
NAME_AT_MOST = 60
CODE_AT_MOST = 40
DEEDS: Mapping[str, str] = {"add": "增加报送责任", "end": "终止报送责任"}


@dataclass(frozen=True, slots=True)
class NewPack:
    """Files of a draft (草稿): the pack, and its cases."""

    files: Mapping[str, bytes]
    cases: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is signed, and the digests under which the pack and its cases are kept."""

    values: dict[str, Any]
    pack: bytes | None = None
    cases: bytes | None = None


def digest_of(facts: Mapping[str, Any]) -> bytes:
    """SHA-256 of the facts as canonical JSON (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps(dict(facts))).digest()


def facts_of(kind: str, policy_id: str, said: Mapping[str, str], pack: NewPack) -> Facts:
    """The facts of a proposal of this kind from what was filled in; a draft is checked and kept.

    Raises:
        OversightError: as ``put_forward`` says.
        RefusedError: ``unknown-policy``.
    """
    makers = {"pack": _pack, "extension": _extension, "responsibility": _responsibility, "unit": _unit}
    if kind not in makers:
        raise OversightError("请从页面上的按钮提交。", code="kind-unknown")
    policy = current_policy(policy_id)
    made = makers[kind](policy, said, pack)
    return Facts({"kind": kind, "policy": policy.id} | made.values, made.pack, made.cases)


def _pack(policy: Policy, said: Mapping[str, str], pack: NewPack) -> Facts:
    from_date = _day(said, "from_date", "生效日期")
    draft = checked_draft(policy, pack.files, pack.cases)
    then = current_policy(policy.id, from_date)
    # Written out, or with another comment, it is the same policy under another digest.
    if replace(draft.checked.policy, sha256=then.sha256, extensions=then.extensions) == then:
        raise OversightError("上传的政策包和这一天施行的完全相同，不用再发布。", code="pack-published-already")
    kept = kept_files(policy.id, draft)
    # What it is compared with stays readable, also when another version of the program ships another pack.
    keep_pack(policy.id, files_in_force(policy))
    values = {
        "pack": kept.pack.hex(),
        "cases": kept.cases.hex(),
        "case_count": len(draft.checked.ran),
        "warnings": list(draft.checked.warnings),
        "from_date": from_date.isoformat(),
        "document": _text(said, "document", "文号", DOCUMENT_AT_MOST, is_needed=False),
        "after": _after(policy),
    }
    return Facts(values, kept.pack, kept.cases)


def _extension(policy: Policy, said: Mapping[str, str], _pack: NewPack) -> Facts:
    values = {
        "document": _text(said, "document", "文号", DOCUMENT_AT_MOST),
        "until_date": _day(said, "until_date", "延期至").isoformat(),
        "note": _text(said, "note", "说明", NOTE_AT_MOST, is_needed=False),
        "after": _after(policy),
    }
    return Facts(values)


def _responsibility(policy: Policy, said: Mapping[str, str], _pack: NewPack) -> Facts:
    deed = said.get("deed", "")
    if deed not in DEEDS:
        raise OversightError("请选择增加还是终止报送责任。", code="facts-missing")
    code, kind = (_text(said, key, "领域和数据种类", NAME_AT_MOST) for key in ("domain", "kind"))
    names = _kinds_of_domains(policy)
    if deed == "add" and (code, kind) not in names:
        raise OversightError(
            "现行、待生效和会签中的政策包里都没有这个领域的这种数据；先提交列入这个领域的政策包，再登记报送责任。",
            code="domain-unknown",
        )
    unit = known_unit(_text(said, "uscc", "统一社会信用代码", CODE_AT_MOST))
    if deed == "add" and policy.jurisdiction not in (NATIONWIDE, unit.jurisdiction):
        # Its statements would make the domain complete, and its records would not be read (``records_at``).
        raise OversightError(
            f"{unit.short_name}不向这个地区报送，它的记录不在这项政策的核查范围；请选择本地区的单位。",
            code="unit-elsewhere",
            field="uscc",
        )
    return Facts(
        {
            "deed": deed,
            "domain": code,
            "record_kind": kind,
            "uscc": unit.uscc,
            "unit": unit.short_name,
            "domain_name": names.get((code, kind), ""),
        }
    )


def _unit(policy: Policy, said: Mapping[str, str], _pack: NewPack) -> Facts:
    return Facts(
        {
            "uscc": normalise_identifier(_text(said, "uscc", "统一社会信用代码", CODE_AT_MOST)),
            "name": _text(said, "name", "全称", NAME_AT_MOST),
            "short_name": _text(said, "short_name", "简称", NAME_AT_MOST),
            "jurisdiction": _jurisdiction(policy),
        }
    )


def _jurisdiction(policy: Policy) -> str:
    """The city units of this policy deliver to: its own, of a policy for the whole country that of its units."""
    units = responsible_units(policy.id)
    known = units_at(head_position()) if policy.jurisdiction == NATIONWIDE and units else {}
    return known[units[0].unit_id].jurisdiction if known else policy.jurisdiction


def _after(policy: Policy) -> dict[str, Any]:
    """What stood when it was put forward: a publication that comes between is noticed by it."""
    return {"pack": policy.sha256, "entry": last_publication(policy.id)}


def _kinds_of_domains(policy: Policy) -> dict[tuple[str, str], str]:
    """Names by domain or section and kind of record, of the pack in force and of all that may follow it."""
    found: dict[tuple[str, str], str] = {}
    for one in (*planned_policies(policy.id), policy):
        found |= {(d.code, str(kind)): d.name for d in one.domains for kind in d.kinds}
        found |= {(section.code, str(section.kind)): section.name for section in one.other}
    return found


def _text(said: Mapping[str, str], key: str, name: str, most: int, *, is_needed: bool = True) -> str:
    text = text_to_keep(said.get(key, ""), field=name, most=most)
    if is_needed and not text:
        raise OversightError(f"请填写{name}。", code="facts-missing", field=key)
    return text


def _day(said: Mapping[str, str], key: str, name: str) -> date:
    text = said.get(key, "").strip()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise OversightError(f"请填写{name}，写作 2026-12-01。", code="date-unreadable", field=key) from error
