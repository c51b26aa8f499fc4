"""Packs of a policy as they are kept: published here, put forward here, shipped; and their files."""

from collections.abc import Mapping

from xinzheng.apps.oversight.models import Proposal
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.models import PackPublication, StoredInput
from xinzheng.apps.reports.packs import stored_files, stored_policy
from xinzheng.core.policy import Policy

CASES = "policy-cases"


def last_publication(policy_id: str, but: int | None = None) -> int | None:
    """The entry of the policy's latest publication but one, whatever day it holds from; None if there was none."""
    rows = PackPublication.objects.filter(policy_id=policy_id).order_by("-entry__place__position")
    return next((entry for entry in rows.values_list("entry_id", flat=True) if entry != but), None)


def open_proposals(policy_id: str) -> list[Proposal]:
    """What waits for signatures, latest first."""
    return list(Proposal.objects.filter(policy_id=policy_id, end__isnull=True).order_by("-at"))


def planned_policies(policy_id: str) -> list[Policy]:
    """The policy as packs have it that were published here, and as those have it that wait for signatures."""
    published = PackPublication.objects.filter(policy_id=policy_id).order_by("entry__place__position")
    digests = list(published.values_list("pack_id", flat=True))
    waiting = [one.pack_id for one in open_proposals(policy_id) if one.pack_id is not None]
    return [stored_policy(digest) for digest in dict.fromkeys(bytes(one) for one in (*digests, *waiting))]


def planned_name(policy_id: str, code: str) -> str:
    """What a pack that may come calls a domain or section; empty where none names it."""
    names: dict[str, str] = {}
    for policy in planned_policies(policy_id):
        names |= {section.code: section.name for section in policy.other}
        names |= {domain.code: domain.name for domain in policy.domains}
    return names.get(code, "")


def files_in_force(policy: Policy) -> Mapping[str, bytes]:
    """The files of a policy in force: kept with its publication or a report, else the shipped ones."""
    digest = bytes.fromhex(policy.sha256)
    if StoredInput.objects.filter(sha256=digest).exists():
        return stored_files(digest)
    shipped: Mapping[str, bytes] = ports.policy_files().pack_bytes(policy.id)
    return shipped


def cases_in_force(policy: Policy) -> Mapping[str, bytes]:
    """The cases with which the pack in force was signed, else the shipped ones; by file name."""
    signed = Proposal.objects.filter(pack_id=bytes.fromhex(policy.sha256), end__entry_id__isnull=False)
    last = signed.exclude(cases=None).order_by("-at").first()
    if last is not None and last.cases_id is not None:
        return stored_files(bytes(last.cases_id))
    files = ports.policy_files()
    return {path.name: path.read_bytes() for path in files.case_files(policy.id)} if _is_shipped(policy.id) else {}


def _is_shipped(policy_id: str) -> bool:
    return policy_id in ports.policy_files().list_policies()
