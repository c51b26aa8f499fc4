"""Give identifiers their subjects, set-wise: each code and each person is registered once, whoever comes first.

Two transactions that register the same code at once wait for each other at the unique index; the later one gets the
earlier one's subject. Everything is inserted in the order of the code, so that they cannot lock each other out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from xinzheng.apps.audit.models import Entry
from xinzheng.apps.registry.identities import NameSince, person_hashes, seal_identity
from xinzheng.apps.registry.keys import hold_keys
from xinzheng.apps.registry.models import ReviewItem
from xinzheng.apps.registry.number_keys import under_one_key
from xinzheng.core.identifiers import subject_kind_of
from xinzheng.core.subjects import SubjectKind

SUBJECT_SEQUENCE = "pg_get_serial_sequence('registry_subject', 'id')"

INSERT_CODES = f"""
    INSERT INTO registry_subjectcode (code, subject_id, scheme, entry_id)
    SELECT code, nextval({SUBJECT_SEQUENCE}), 'uscc', %s FROM unnest(%s::text[]) AS code ORDER BY code
    ON CONFLICT (code) DO NOTHING RETURNING subject_id
"""  # noqa: S608
INSERT_PERSONS = """
    INSERT INTO registry_personidentity (subject_id, number_hash, wrapped_key, name_ct, number_ct)
    SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[])
        AS person (subject_id, number_hash, wrapped_key, name_ct, number_ct)
    ORDER BY number_hash
    ON CONFLICT (number_hash) DO NOTHING RETURNING subject_id
"""
CODES = "SELECT code, subject_id FROM registry_subjectcode WHERE code = ANY(%s)"
PERSONS = "SELECT number_hash, subject_id FROM registry_personidentity WHERE number_hash = ANY(%s)"
NEW_KEYS = f"SELECT nextval({SUBJECT_SEQUENCE}) FROM generate_series(1, %s)"  # noqa: S608
INSERT_SUBJECTS = "INSERT INTO registry_subject (id) SELECT unnest(%s::bigint[])"

VERSION_COLUMNS = (
    "entry_id", "subject_id", "kind", "name", "representative", "status", "established_date", "address",
    "is_deregistered",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Registered:
    """Subjects by code, and which of them did not exist before."""

    ids: Mapping[str, int]
    created: frozenset[int]


@dataclass(frozen=True, slots=True)
class VersionRow:
    """What the register says of a subject from now on; a natural person's name is left out when it is written."""

    subject_id: int
    kind: str | None
    name: str
    representative: str | None = None
    status: str | None = None
    established_date: date | None = None
    address: str | None = None
    is_deregistered: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """A valid, normalised identifier met in a batch (见于批次), with what the batch says of its bearer."""

    code: str
    name: str
    kind: SubjectKind | None = None
    is_person: bool = False


def subjects_of_codes(codes: Iterable[str]) -> dict[str, int]:
    """The registered subjects of normalised organisation codes."""
    return {str(code): subject_id for code, subject_id in _rows(CODES, [list(codes)])}


def subjects_of_persons(numbers: Iterable[str]) -> dict[str, int]:
    """The registered subjects of normalised identity numbers."""
    asked = list(numbers)
    if not asked:
        return {}

    def found(key: bytes) -> dict[str, int]:
        number_of_hash = dict(zip(person_hashes(asked, key), asked, strict=True))
        return {number_of_hash[bytes(h)]: subject_id for h, subject_id in _rows(PERSONS, [list(number_of_hash)])}

    return under_one_key(found)


def register_codes(codes: Iterable[str], entry: Entry) -> Registered:
    """Make sure that each unified social credit code has a subject."""
    asked = sorted(set(codes))
    created = [row[0] for row in _rows(INSERT_CODES, [entry.pk, asked])] if asked else []
    _insert_subjects(created)
    return Registered(subjects_of_codes(asked), frozenset(created))


def register_persons(names: Mapping[str, str], entry: Entry) -> Registered:
    """Make sure that each identity number has a subject; ``names`` by number. Names of known persons stay."""
    if not names:
        return Registered({}, frozenset())
    hold_keys()
    keys = [row[0] for row in _rows(NEW_KEYS, [len(names)])]
    sealed = [
        seal_identity(key, number, NameSince(entry.pk, name), hashed)
        for key, (number, name), hashed in zip(keys, names.items(), person_hashes(names), strict=True)
    ]
    columns = [
        [getattr(s, column) for s in sealed] for column in ("number_hash", "wrapped_key", "name_ct", "number_ct")
    ]
    created = [row[0] for row in _rows(INSERT_PERSONS, [keys, *columns])]
    _insert_subjects(created)
    return Registered(subjects_of_persons(names), frozenset(created))


def register_unknown_subjects(sightings: Iterable[Sighting], *, entry: Entry) -> dict[str, int]:
    """Register identifiers that are not in the register, and queue them for review (待核).

    For the ledger, inside its own transaction, with the batch's entry. Known identifiers are left as they are.

    Returns:
        the subject of every code that was given.
    """
    met = {sighting.code: sighting for sighting in sightings}
    persons = {code: sighting.name for code, sighting in met.items() if sighting.is_person}
    known = subjects_of_codes(code for code in met if code not in persons) | subjects_of_persons(persons)
    codes = register_codes((code for code in met if code not in known and code not in persons), entry)
    people = register_persons({code: name for code, name in persons.items() if code not in known}, entry)
    ids = known | dict(codes.ids) | dict(people.ids)
    fresh = codes.created | people.created
    created = sorted((ids[code], code) for code in met if ids[code] in fresh)
    write_versions([VersionRow(key, _kind_of(met[code]), met[code].name) for key, code in created], entry)
    ReviewItem.objects.bulk_create(ReviewItem(subject_id=key, entry=entry) for key, _ in created)
    return ids


def write_versions(rows: Iterable[VersionRow], entry: Entry) -> None:
    """COPY new versions into the history; of a natural person without name, representative and address."""
    statement = f"COPY registry_subjectversion ({', '.join(VERSION_COLUMNS)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            if row.kind == SubjectKind.NATURAL_PERSON:
                copy.write_row(
                    [entry.pk, row.subject_id, row.kind, "", None, row.status, None, None, row.is_deregistered]
                )
            else:
                values = [getattr(row, column) for column in VERSION_COLUMNS[1:]]
                copy.write_row([entry.pk, *values])


def _kind_of(sighting: Sighting) -> str | None:
    if sighting.is_person:
        return SubjectKind.NATURAL_PERSON
    return sighting.kind or subject_kind_of(sighting.code)


def _insert_subjects(keys: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT_SUBJECTS, [list(keys)])


def _rows(statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
