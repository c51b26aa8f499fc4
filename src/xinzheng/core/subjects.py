"""Subjects (市场主体): kinds, and the tie between a record's party and the subject who asks."""

from dataclasses import dataclass
from enum import StrEnum


class SubjectKind(StrEnum):
    """Kind of subject (主体类型)."""

    ENTERPRISE_LEGAL_PERSON = "enterprise_legal_person"
    UNINCORPORATED_ENTERPRISE = "unincorporated_enterprise"
    INDIVIDUAL_BUSINESS = "individual_business"
    COOPERATIVE = "cooperative"
    SOCIAL_ORGANISATION = "social_organisation"
    PUBLIC_INSTITUTION = "public_institution"
    NATURAL_PERSON = "natural_person"


class Tie(StrEnum):
    """How the party a record names is tied to the subject (关联): design §5, "In every pack"."""

    SELF = "self"
    RENAMED = "renamed"
    MERGED = "merged"
    SPLIT = "split"
    BRANCH = "branch"


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject (市场主体) as a decision sees it.

    ``name`` and ``identifier`` are what is printed: masked already where the subject is a natural person.
    """

    kind: SubjectKind
    name: str = ""
    identifier: str = ""
    representative: str | None = None
    status: str | None = None
    is_deregistered: bool = False
