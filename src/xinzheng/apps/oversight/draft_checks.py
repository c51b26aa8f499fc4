"""Drafts (政策包草稿): read strictly and tried on their cases in a bounded process, then kept under their digest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xinzheng.apps.audit.privacy import holds_number
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.pack_rows import CASES, cases_in_force, files_in_force
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.models import StoredInput
from xinzheng.apps.reports.packs import keep_pack
from xinzheng.core.policy import Policy

POLICY_FILE, CORE_FILE = "policy.yaml", "core.yaml"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft that was found sound: its files with those it leaves as they are, and what checking it said."""

    files: Mapping[str, bytes]
    cases: Mapping[str, bytes]
    checked: Any


@dataclass(frozen=True, slots=True)
class Kept:
    """The digests under which a draft's pack and cases are kept."""

    pack: bytes
    cases: bytes


def checked_draft(policy: Policy, files: Mapping[str, bytes], cases: Mapping[str, bytes]) -> Draft:
    """Check a draft of the policy, with the present core file and cases where it brings none of its own.

    Raises:
        OversightError: ``draft-missing``; ``draft-holds-numbers``; ``draft-unfit``: ``mistakes`` in the context, each
            with file, line and message; ``cases-missing``; ``cases-fail``: ``ran`` in the context.
        XinzhengError: ``draft-too-large``, ``draft-not-examined``.
    """
    if not files.get(POLICY_FILE):
        raise OversightError("请选择政策文件（policy.yaml）。", code="draft-missing")
    write_out = ports.policy_files().written_out
    whole = {CORE_FILE: write_out(files_in_force(policy)[CORE_FILE]), **files}
    tried = dict(cases) or {name: write_out(content) for name, content in cases_in_force(policy).items()}
    _refuse_numbers({**whole, **tried})
    return Draft(whole, tried, check_again(policy.id, whole, tried))


def check_again(policy_id: str, files: Mapping[str, bytes], cases: Mapping[str, bytes]) -> Any:
    """Read a pack strictly and run its cases; what was found. Raises as ``checked_draft`` does."""
    checked = ports.policy_files().check_draft(files, cases)
    if checked.mistakes or checked.policy is None:
        raise OversightError(
            f"政策包有{len(checked.mistakes)}处错误，没有保存。", code="draft-unfit", mistakes=tuple(checked.mistakes)
        )
    if checked.policy.id != policy_id:
        raise OversightError(
            f"文件写的是政策“{checked.policy.id}”，这里办理的是“{policy_id}”，请核对文件。", code="draft-unfit"
        )
    if not checked.ran:
        raise OversightError("没有用例。请写好用例，和政策包一起上传。", code="cases-missing")
    failed = tuple(one for one in checked.ran if one.differences)
    if failed:
        raise OversightError(
            f"{len(checked.ran)}个用例中有{len(failed)}个不符合预期，没有保存。", code="cases-fail", ran=failed
        )
    return checked


def kept_files(policy_id: str, draft: Draft) -> Kept:
    """Store a draft's pack and its cases, each once under its digest."""
    digest = bytes.fromhex(ports.policy_files().pack_digest(draft.cases))
    body = {name: content.decode() for name, content in draft.cases.items()}
    StoredInput.objects.get_or_create(sha256=digest, defaults={"kind": CASES, "name": policy_id, "body": body})
    return Kept(keep_pack(policy_id, draft.files), digest)


def _refuse_numbers(files: Mapping[str, bytes]) -> None:
    """A pack and its cases are kept for ever: nobody's number may be in them."""
    for name, content in files.items():
        text = content.decode(errors="replace")
        line = next((number for number, line in enumerate(text.split("\n"), 1) if holds_number(line)), None)
        if line is not None:
            raise OversightError(
                f"{name}第{line}行有身份号码或者手机号码。政策包和用例长期保存，请去掉号码后重新上传。",
                code="draft-holds-numbers",
            )
