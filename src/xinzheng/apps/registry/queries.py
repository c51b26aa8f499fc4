"""Read the registry. Whatever takes a position is answered as the registry was then."""

from xinzheng.apps.registry.channel_queries import Channel, ServedUnit, channels_at, is_served, served_units
from xinzheng.apps.registry.identities import person_hashes
from xinzheng.apps.registry.later_ties import Hindsight, ties_in_hindsight
from xinzheng.apps.registry.persons import FullIdentity, find_by_phone, full_identity, phone_of
from xinzheng.apps.registry.review_queries import (
    ReviewError,
    ReviewFilter,
    ReviewSubject,
    review_counts,
    review_item,
    review_queue,
)
from xinzheng.apps.registry.subject_queries import ERASED, UnknownSubjectError, find_subject, subject_at, ties_at
from xinzheng.apps.registry.unit_queries import (
    RegisteredUnit,
    ResponsibleUnit,
    is_responsible,
    registry_position,
    responsibilities_at,
    responsible_units,
    unit_by_uscc,
    units_at,
)

__all__ = [
    "ERASED",
    "Channel",
    "FullIdentity",
    "Hindsight",
    "RegisteredUnit",
    "ResponsibleUnit",
    "ReviewError",
    "ReviewFilter",
    "ReviewSubject",
    "ServedUnit",
    "UnknownSubjectError",
    "channels_at",
    "find_by_phone",
    "find_subject",
    "full_identity",
    "is_responsible",
    "is_served",
    "person_hashes",
    "phone_of",
    "registry_position",
    "responsibilities_at",
    "responsible_units",
    "review_counts",
    "review_item",
    "review_queue",
    "served_units",
    "subject_at",
    "ties_at",
    "ties_in_hindsight",
    "unit_by_uscc",
    "units_at",
]
