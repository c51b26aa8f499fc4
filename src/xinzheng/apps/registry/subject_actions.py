"""Erase a natural person: the one thing in the registry that can be taken back."""

from collections.abc import Callable, Iterable

from django.db import transaction

from xinzheng.apps.audit.actions import About, open_entry, record_event, take_position
from xinzheng.apps.registry.models import PersonContact, PersonIdentity
from xinzheng.apps.registry.subject_queries import UnknownSubjectError


@transaction.atomic
def erase_person(subject_id: int, *, by: str, also: Iterable[Callable[[int], object]] = ()) -> int:
    """Erase a natural person's name, number and phone (删除身份信息) for good; the ledger keeps the surrogate key.

    The data key goes with the row, so that nothing under it can be read again. A report made before can then no
    longer be derived again with its masked name; the stored report stays verifiable. ``also``: what apps above keep of
    a person, each deleted for the subject in the same transaction.

    Returns:
        the position of the erasure.

    Raises:
        UnknownSubjectError: the subject has no identity here (an organisation, or erased before).
    """
    erased, _ = PersonIdentity.objects.filter(subject=subject_id).delete()
    if not erased:
        raise UnknownSubjectError(
            "该主体没有可删除的自然人身份信息（不是自然人，或者已经删除）。", code="person-unknown"
        )
    PersonContact.objects.filter(subject=subject_id).delete()
    for delete in also:
        delete(subject_id)
    entry = open_entry(kind="person-erased", by=by, note={"subject": subject_id})
    record_event(who=by, action="person-erased", object_kind="subject", object_id=subject_id, details=About(subject_id))
    return take_position(entry)
