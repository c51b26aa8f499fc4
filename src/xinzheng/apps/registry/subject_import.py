"""Import the register of subjects (主体名录): new subjects, versions of changed ones, nothing for the same again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import connection, transaction

from xinzheng.apps.audit.actions import check_constraints_now, open_entry, record_event, take_position
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.registry.identities import NameSince, renamed
from xinzheng.apps.registry.models import (
    FormerName,
    PersonIdentity,
    ReviewDecision,
    SubjectCode,
    Succession,
    SuccessionRevision,
)
from xinzheng.apps.registry.registering import (
    Sighting,
    VersionRow,
    register_codes,
    register_persons,
    register_unknown_subjects,
    subjects_of_persons,
    write_versions,
)
from xinzheng.apps.registry.standing import Standing, read_standing
from xinzheng.apps.registry.subject_file import read_subject_file
from xinzheng.apps.registry.subject_links import CodeOwners, check_codes
from xinzheng.apps.registry.subject_relations import check_relations
from xinzheng.apps.registry.subject_rows import Relation, RowDefect, Stand, SubjectRow, check_lines
from xinzheng.apps.registry.successions import SuccessionState

# One import at a time is compared with what stands; nothing else may lock this constant.
IMPORT_LOCK = 0x7375626A65637473
WRITTEN_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of the lines: new + changed + identical + rejected = lines.

    ``defects`` tell why lines were rejected; ``position`` is None when nothing was written.
    """

    lines: int
    new: int
    changed: int
    identical: int
    rejected: int
    defects: tuple[RowDefect, ...]
    position: int | None


@dataclass(frozen=True)
class _Given:
    """The good rows, which columns the file has, and whose codes are registered."""

    rows: Sequence[SubjectRow]
    columns: frozenset[str]
    owners: CodeOwners
    persons: Mapping[str, int]

    def subject_of(self, row: SubjectRow) -> int | None:
        """The registered subject of a row."""
        return self.persons.get(row.code) if row.is_person else self.owners.subject_of(row.code)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a row adds beside its version, for one subject: only what is not registered yet."""

    former_names: tuple[str, ...]
    former_codes: tuple[tuple[str, str], ...]
    successions: tuple[Relation, ...]
    revisions: tuple[tuple[SuccessionState, Relation], ...]

    @property
    def are_none(self) -> bool:
        """Whether the row adds nothing."""
        return not (self.former_names or self.former_codes or self.successions or self.revisions)


@transaction.atomic
def import_subjects(path: Path, *, by: str) -> ImportResult:
    """Import a file of subjects; good lines are taken over, the others reported with line and column.

    Columns, by Chinese name or identifier: see ``docs/how-to/主体名录.md``. A column that the file lacks leaves what is
    registered as it is. A natural person's name and number go to the encrypted table only.

    Args:
        path: CSV (UTF-8 with or without BOM, GB 18030) or XLSX.
        by: who imports, e.g. ``command-line``.

    Raises:
        SubjectFileError: the file is empty, or a required column is missing; nothing was changed.
        XinzhengError: the file cannot be read as a table; nothing was changed.
    """
    table = read_subject_file(path)
    rows, defects = check_lines(table)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])
    owners = CodeOwners.read(rows)
    rows, of_codes = check_codes(rows, owners, table.headings)
    rows, of_relations = check_relations(rows, owners, table.headings)
    defects = sorted([*defects, *of_codes, *of_relations], key=lambda defect: defect.line)
    persons = subjects_of_persons(row.code for row in rows if row.is_person)
    given = _Given(rows, frozenset(table.headings), owners, persons)
    standing = read_standing([key for row in rows if (key := given.subject_of(row)) is not None])
    new = [row for row in rows if given.subject_of(row) is None]
    changed = [row for row in rows if given.subject_of(row) is not None and _differs(row, given, standing)]
    position = _write([*new, *changed], given, standing, by) if new or changed else None
    return ImportResult(
        lines=len(table.lines),
        new=len(new),
        changed=len(changed),
        identical=len(rows) - len(new) - len(changed),
        rejected=len(table.lines) - len(rows),
        defects=tuple(defects),
        position=position,
    )


def _write(rows: Sequence[SubjectRow], given: _Given, standing: Standing, by: str) -> int:
    entry = open_entry(kind="subjects-imported", by=by, note={"subjects": len(rows)})
    codes = register_codes((row.code for row in rows if not row.is_person), entry)
    persons = register_persons({row.code: row.name for row in rows if row.is_person}, entry)
    # A code belongs to one subject even where a person's number has the same characters.
    ids_of = {row.line: (persons.ids if row.is_person else codes.ids)[row.code] for row in rows}
    versions = [(row, _version(row, ids_of[row.line], given, standing)) for row in rows]
    write_versions((version for row, version in versions if _is_news(row, version, standing)), entry)
    _write_names(rows, ids_of, standing, entry)
    facts = {ids_of[row.line]: _facts(row, given, standing) for row in rows}
    _write_facts(facts, entry)
    _write_successions(facts, codes.ids, given, entry)
    reviewed = sorted(standing.to_review.intersection(ids_of.values()))
    ReviewDecision.objects.bulk_create(ReviewDecision(entry=entry, item_id=key, outcome="imported") for key in reviewed)
    record_event(
        who=by, action="subjects-imported", object_kind="entry", object_id=entry.pk, details={"subjects": len(rows)}
    )
    if len(rows) >= WRITTEN_AT_ONCE:
        _tell_the_planner()
    check_constraints_now()
    return take_position(entry)


def _tell_the_planner() -> None:
    """A session that knew the register when it was small would check each row's subject by reading all of them."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE registry_subject")


def _differs(row: SubjectRow, given: _Given, standing: Standing) -> bool:
    key = given.subject_of(row)
    if key is None or key in standing.to_review or _is_news(row, _version(row, key, given, standing), standing):
        return True
    return not _facts(row, given, standing).are_none


def _is_news(row: SubjectRow, version: VersionRow, standing: Standing) -> bool:
    if row.is_person and standing.person_names.get(version.subject_id) != row.name:
        return True
    shown = replace(version, name="") if row.is_person else version
    return standing.versions.get(version.subject_id) != shown


def _version(row: SubjectRow, key: int, given: _Given, standing: Standing) -> VersionRow:
    """The row as a version; what the file has no column for stays as it stands."""
    told = VersionRow(
        key, row.kind, row.name, row.representative, row.status, row.established_date, row.address, row.is_deregistered
    )
    stands = standing.versions.get(key)
    if stands is None:
        return told
    if not row.kind_is_told and stands.kind is not None:
        told = replace(told, kind=stands.kind)
    if "legal_representative" not in given.columns:
        told = replace(told, representative=stands.representative)
    if "status" not in given.columns:
        told = replace(told, status=stands.status, is_deregistered=stands.is_deregistered)
    if "established" not in given.columns:
        told = replace(told, established_date=stands.established_date)
    return told if "address" in given.columns else replace(told, address=stands.address)


def _facts(row: SubjectRow, given: _Given, standing: Standing) -> _Facts:
    key = given.subject_of(row)
    states = [(_state(key, relation, given, standing), relation) for relation in row.relations]
    return _Facts(
        tuple(name for name in row.former_names if (key, name) not in standing.former_names),
        tuple((code, scheme) for code, scheme in row.former_codes if given.owners.subject_of(code) is None),
        tuple(relation for state, relation in states if state is None),
        tuple((state, relation) for state, relation in states if state is not None and _revises(relation, state)),
    )


def _state(key: int | None, relation: Relation, given: _Given, standing: Standing) -> SuccessionState | None:
    other = given.owners.subject_of(relation.code)
    return None if key is None or other is None else standing.successions.get((key, other, str(relation.kind)))


def _revises(relation: Relation, state: SuccessionState) -> bool:
    if state.is_ended or relation.stand is Stand.WITHDRAWN:
        return state.is_ended != (relation.stand is Stand.WITHDRAWN)
    return relation.date not in (None, state.date)


def _write_names(rows: Iterable[SubjectRow], ids_of: Mapping[int, int], standing: Standing, entry: Entry) -> None:
    changed = []
    for row in rows:
        key = ids_of[row.line]
        sealed = standing.identities.get(key)
        if row.is_person and sealed is not None and standing.person_names[key] != row.name:
            changed.append(PersonIdentity(subject_id=key, name_ct=renamed(key, sealed, NameSince(entry.pk, row.name))))
    PersonIdentity.objects.bulk_update(changed, ["name_ct"], batch_size=1000)


def _write_facts(facts: Mapping[int, _Facts], entry: Entry) -> None:
    FormerName.objects.bulk_create(
        [
            FormerName(entry=entry, subject_id=key, name=name)
            for key, found in facts.items()
            for name in found.former_names
        ],
        ignore_conflicts=True,
        batch_size=WRITTEN_AT_ONCE,
    )
    SubjectCode.objects.bulk_create(
        [
            SubjectCode(entry=entry, subject_id=key, code=code, scheme=scheme)
            for key, found in facts.items()
            for code, scheme in found.former_codes
        ],
        ignore_conflicts=True,
        batch_size=WRITTEN_AT_ONCE,
    )


def _write_successions(facts: Mapping[int, _Facts], ids: Mapping[str, int], given: _Given, entry: Entry) -> None:
    told = [(key, relation) for key, found in facts.items() for relation in found.successions]
    known = dict(ids) | {code: owner for code, (owner, _) in given.owners.registered.items()}
    # The other side may come later: it is registered by its code and queued for review, the succession kept.
    unknown = {relation.code for _, relation in told if relation.code not in known}
    known |= register_unknown_subjects((Sighting(code, "") for code in sorted(unknown)), entry=entry)
    Succession.objects.bulk_create(
        [
            Succession(entry=entry, subject_id=key, successor_id=known[r.code], kind=str(r.kind), date=r.date)
            for key, r in told
        ],
        ignore_conflicts=True,
        batch_size=WRITTEN_AT_ONCE,
    )
    SuccessionRevision.objects.bulk_create(
        [
            SuccessionRevision(
                entry=entry,
                succession_id=state.id,
                is_ended=relation.stand is Stand.WITHDRAWN,
                date=relation.date or state.date,
                reason=relation.reason,
            )
            for found in facts.values()
            for state, relation in found.revisions
        ],
        batch_size=WRITTEN_AT_ONCE,
    )
