"""What is registered now of some subjects, read set-wise to be compared with an import."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from xinzheng.apps.registry.identities import SealedIdentity, names_of
from xinzheng.apps.registry.models import FormerName, PersonIdentity, ReviewItem
from xinzheng.apps.registry.registering import VersionRow
from xinzheng.apps.registry.successions import Link, SuccessionState, succession_states

VERSIONS = """
    SELECT DISTINCT ON (v.subject_id) v.subject_id, v.kind, v.name, v.representative, v.status, v.established_date,
           v.address, v.is_deregistered
    FROM registry_subjectversion v JOIN audit_position p ON p.entry_id = v.entry_id
    WHERE v.subject_id = ANY(%s)
    ORDER BY v.subject_id, p.position DESC
"""


@dataclass(frozen=True)
class Standing:
    """The latest version, identity and newest name of each subject, its former names, its successions.

    ``to_review``: those that wait for review.
    """

    versions: Mapping[int, VersionRow]
    identities: Mapping[int, SealedIdentity]
    person_names: Mapping[int, str]
    former_names: frozenset[tuple[int | None, str]]
    successions: Mapping[Link, SuccessionState]
    to_review: frozenset[int]


def read_standing(keys: Sequence[int]) -> Standing:
    """What is registered of the subjects with these keys."""
    with connection.cursor() as cursor:
        cursor.execute(VERSIONS, [list(keys)])
        versions = {row[0]: VersionRow(*row) for row in cursor.fetchall()}
    columns = ("number_hash", "wrapped_key", "name_ct", "number_ct")
    identities = {
        key: SealedIdentity(*map(bytes, sealed))
        for key, *sealed in PersonIdentity.objects.filter(subject__in=keys).values_list("subject_id", *columns)
    }
    former_names = FormerName.objects.filter(subject__in=keys).values_list("subject_id", "name")
    to_review = ReviewItem.objects.filter(subject__in=keys, decision=None).values_list("pk", flat=True)
    return Standing(
        versions,
        identities,
        {key: names_of(key, sealed)[-1].name for key, sealed in identities.items()},
        frozenset(former_names),
        succession_states(keys),
        frozenset(to_review),
    )
