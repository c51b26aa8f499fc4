"""Putting a pack in force (发布政策包) and prolonging a policy (延期): from a day on, for ever on record, never edited.

Who may publish, and that it takes two people, is the affair of whoever calls this (oversight, ``xinzheng policy``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.privacy import holds_number, text_to_keep
from xinzheng.apps.reports import packs, ports
from xinzheng.apps.reports.models import PackExtension, PackPublication, Report, StoredInput
from xinzheng.apps.reports.pack_queries import forget_page, recorded
from xinzheng.core.errors import XinzhengError
from xinzheng.core.policy import Extension, Policy

REASON_AT_MOST = 500
DOCUMENT_AT_MOST = 100
# Held by whoever publishes or prolongs until his commit, so that the next one sees what he did.
PUBLISHING_LOCK = 0x7061636B73


class PublishingError(XinzhengError):
    """A pack cannot be put in force, or a policy not be prolonged."""

    code = "pack-refused"


@dataclass(frozen=True, slots=True)
class Publishing:
    """A pack to be put in force: its files (policy.yaml and core.yaml), its first day, by which paper, and why.

    ``signed_by`` are the actors who signed, where no proposal says so.
    """

    policy_id: str
    files: Mapping[str, bytes]
    from_date: date
    document: str
    reason: str
    signed_by: tuple[str, ...] = ()


@transaction.atomic
def publish_pack(new: Publishing, *, by: str) -> int:
    """Put a pack in force from a day on; the position of its publication. Reports decided before keep their own pack.

    Raises:
        PolicyError: ``draft-too-large``, ``draft-misnamed``, ``draft-not-examined``.
        UnkeepableTextError: document or reason is too long or holds a person's number.
        PublishingError: ``pack-unfit`` with ``mistakes``, each with file and line; ``pack-other-policy``;
            ``pack-from-the-past``: its first day is not tomorrow or later; ``pack-before-its-effect``: the decree is
            not in force on it yet; ``pack-over-already``: or not any more; ``pack-prefix-taken``: another
            policy numbers its reports so; ``pack-published-already``; ``pack-holds-numbers``; ``reason-missing``.
    """
    document = text_to_keep(new.document, field="文号", most=DOCUMENT_AT_MOST)
    reason = text_to_keep(new.reason, field="理由", most=REASON_AT_MOST)
    if not reason:
        raise PublishingError("请写明为什么发布这个政策包。", code="reason-missing")
    checked = ports.policy_files().check_draft(new.files, {})
    if checked.policy is None:
        raise PublishingError(_unfit(checked.mistakes), code="pack-unfit", mistakes=checked.mistakes)
    _refuse_numbers(checked.files)
    _one_at_a_time()
    _refuse(new, checked.policy)
    digest = packs.keep_pack(new.policy_id, checked.files)
    facts = _facts(new.policy_id, new.signed_by, sha256=digest.hex(), document=document)
    facts["from"] = new.from_date.isoformat()
    entry = open_entry(kind="pack-published", by=by, note=facts)
    PackPublication.objects.create(
        entry=entry,
        policy_id=new.policy_id,
        pack_id=digest,
        from_date=new.from_date,
        document=document,
        reason=reason,
    )
    record_event(who=by, action="pack-published", object_kind="pack", object_id=new.policy_id, details=facts)
    forget_page()
    return take_position(entry)


@transaction.atomic
def record_extension(policy_id: str, extension: Extension, *, by: str, signed_by: tuple[str, ...] = ()) -> int:
    """Record a document that prolongs a policy, from now on; the position of its entry. ``signed_by`` as Publishing.

    Raises:
        RefusedError: ``unknown-policy``.
        UnkeepableTextError: a text is too long or holds a person's number.
        PublishingError: ``extension-shorter``: it ends no later than the policy does already, or the policy is open
            anyway; ``extension-recorded-already``; ``document-missing``.
    """
    document = text_to_keep(extension.document, field="文号", most=DOCUMENT_AT_MOST)
    note = text_to_keep(extension.note, field="说明", most=REASON_AT_MOST)
    if not document:
        raise PublishingError("请写明延期文件的文号。", code="document-missing")
    _one_at_a_time()
    policy = packs.current_policy(policy_id)
    if document in {known.document for known in policy.extensions}:
        raise PublishingError(f"“{document}”已经登记过，请核对文号。", code="extension-recorded-already")
    last = policy.last_date
    if last is None or extension.until_date <= last:
        until = "长期有效" if last is None else f"已执行至{last.isoformat()}"
        raise PublishingError(f"“{policy.title}”{until}，延期的截止日期应更晚，请核对。", code="extension-shorter")
    facts = _facts(policy_id, signed_by, document=document, until=extension.until_date.isoformat())
    entry = open_entry(kind="extension-recorded", by=by, note=facts)
    PackExtension.objects.create(
        entry=entry, policy_id=policy_id, document=document, until_date=extension.until_date, note=note
    )
    record_event(who=by, action="extension-recorded", object_kind="pack", object_id=policy_id, details=facts)
    forget_page()
    return take_position(entry)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLISHING_LOCK])
    forget_page()


def _refuse_numbers(files: Mapping[str, bytes]) -> None:
    """What is published is kept for ever: nobody's number may be in it."""
    for name, data in files.items():
        text = data.decode()
        line = next((number for number, line in enumerate(text.split("\n"), 1) if holds_number(line)), None)
        if line is not None:
            raise PublishingError(
                f"{name}:{line}：这里有身份号码或者手机号码，政策包长期保存，请去掉。", code="pack-holds-numbers"
            )


def _facts(policy_id: str, signed_by: tuple[str, ...], **more: str) -> dict[str, Any]:
    """What entry and event say."""
    return {"policy": policy_id} | more | ({"signed_by": list(signed_by)} if signed_by else {})


def _unfit(mistakes: tuple[Any, ...]) -> str:
    return f"政策包有{len(mistakes)}处错误，没有发布：\n" + "\n".join(map(str, mistakes))


def _refuse(new: Publishing, policy: Policy) -> None:
    """What stands against a pack that is sound in itself."""
    if policy.id != new.policy_id:
        raise PublishingError(
            f"文件写的是政策“{policy.id}”，要发布的是“{new.policy_id}”；请核对文件。", code="pack-other-policy"
        )
    place = next((packs.jurisdiction_of(one) for one in packs.policy_ids() if one == policy.id), policy.jurisdiction)
    if policy.jurisdiction != place:
        raise PublishingError(
            f"政策“{policy.id}”的辖区是{place}，文件写的是{policy.jurisdiction}；另一个地方的是另一项政策，请另定 id。",
            code="pack-other-policy",
        )
    if new.from_date <= packs.today():
        raise PublishingError("政策包最早从明天起施行；请把施行日期改为明天或者以后。", code="pack-from-the-past")
    begins = policy.in_effect.from_date
    if begins is not None and new.from_date < begins:
        raise PublishingError(
            f"这个政策包自{begins.isoformat()}起施行，不能从{new.from_date.isoformat()}起用；请核对施行日期。",
            code="pack-before-its-effect",
        )
    last = replace(policy, extensions=packs.extensions_of(policy.id)).last_date
    if last is not None and new.from_date > last:
        raise PublishingError(
            f"这个政策包执行至{last.isoformat()}，从{new.from_date.isoformat()}起不能据此出具报告；请核对日期，有延期文件的先登记。",
            code="pack-over-already",
        )
    for other in _prefixes_elsewhere(new.policy_id):
        if other.number_prefix == policy.number_prefix:
            raise PublishingError(
                f"报告编号的前缀“{policy.number_prefix}”已由政策“{other.id}”使用；请另定 number_prefix。",
                code="pack-prefix-taken",
            )
    held = recorded().publication_on(new.policy_id, new.from_date)
    if held is not None and held.sha256 == policy.sha256:
        raise PublishingError(
            f"这个政策包已经发布，自{held.from_date.isoformat()}起施行，不必再发布。", code="pack-published-already"
        )


def _prefixes_elsewhere(policy_id: str) -> Iterator[Policy]:
    """Every pack of another policy: shipped, published for whatever day, or once decided by."""
    for other in packs.policy_ids():
        if other != policy_id:
            yield packs.current_policy(other)
    used = Exists(Report.objects.filter(pack=OuterRef("pk"))) | Exists(
        PackPublication.objects.filter(pack=OuterRef("pk"))
    )
    packs_used = StoredInput.objects.filter(used, kind="policy").exclude(name=policy_id)
    for digest in packs_used.values_list("pk", flat=True):
        yield packs.stored_policy(bytes(digest))
