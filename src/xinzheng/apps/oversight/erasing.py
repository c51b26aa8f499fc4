"""Erase a person whole (删除自然人), and erase again who came back with a backup that is older than the erasure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Min

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.mail_addresses import forget_address_of_person
from xinzheng.apps.oversight.suggestions import forget_of as forget_suggestions
from xinzheng.apps.redress.forgetting import forget_of
from xinzheng.apps.registry.actions import erase_person
from xinzheng.apps.registry.models import PersonIdentity, SubjectVersion


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who was erased (删除了谁): the key in the registry, and since when it stood there.

    After a restore the same key may go to somebody else; it does not go to him at the same microsecond.
    """

    subject_id: int
    registered_at: datetime

    def as_json(self) -> dict[str, Any]:
        """For the list that is kept beside the backups; nothing of the person."""
        return {"subject": self.subject_id, "registered_at": self.registered_at.isoformat()}


def erasure_from_json(facts: Mapping[str, Any]) -> Erasure:
    """What ``as_json`` gave."""
    return Erasure(int(facts["subject"]), datetime.fromisoformat(facts["registered_at"]))


def erasures(subjects: Iterable[int] | None = None) -> list[Erasure]:
    """Everybody whom the audit trail knows to be erased; or these subjects, erased or not."""
    told = AuditEvent.objects.filter(action="person-erased", subject_id__isnull=False)
    asked = [key for key in (told.values_list("subject_id", flat=True) if subjects is None else subjects) if key]
    found = SubjectVersion.objects.filter(subject_id__in=asked).values("subject_id")
    since = found.annotate(since=Min("entry__recorded_at")).order_by("subject_id")
    return [Erasure(row["subject_id"], row["since"]) for row in since]


def erase_whole(subject_id: int, *, by: str) -> int:
    """Erase a person's identity and all that the apps keep of him; the position of it.

    Raises:
        UnknownSubjectError: as ``erase_person``.
    """
    also = (partial(forget_of, by=by), forget_suggestions, partial(forget_address_of_person, by=by))
    return erase_person(subject_id, by=by, also=also)


@transaction.atomic
def erase_again(listed: Iterable[Erasure], *, by: str) -> int:
    """Erase whoever of these has an identity again; how many. Doing it twice changes nothing more."""
    wanted = set(listed)
    back = PersonIdentity.objects.filter(subject__in=[one.subject_id for one in wanted])
    theirs = wanted.intersection(erasures(back.values_list("subject", flat=True)))
    for one in sorted(theirs, key=lambda found: found.subject_id):
        erase_whole(one.subject_id, by=by)
    return len(theirs)


@transaction.atomic
def take_up_after_restore(facts: Mapping[str, Any]) -> int:
    """What a restored database does before anybody uses it: erase again, and tell the trail; how many were erased.

    ``facts``: ``backup``, ``until`` and ``erased``, the list kept beside the backups.
    """
    again = erase_again(map(erasure_from_json, facts["erased"]), by="system")
    told = {"until": facts["until"], "erased_again": again}
    record_event(
        who="command-line", action="backup-restored", object_kind="backup", object_id=facts["backup"], details=told
    )
    return again
