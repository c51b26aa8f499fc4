"""Natural persons: their names and numbers stand encrypted in one table, can be erased, and nowhere else."""

import stat
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.audit.models import AuditEvent, Entry
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.actions import (
    PersonError,
    Sighting,
    erase_person,
    forget_phone,
    import_subjects,
    keep_phone,
    register_person,
    register_unknown_subjects,
)
from xinzheng.apps.registry.keys import KEY_ENCRYPTION, NUMBER_HASH, KeyFileError
from xinzheng.apps.registry.models import PersonContact, PersonIdentity, ReviewItem, Subject
from xinzheng.apps.registry.queries import (
    UnknownSubjectError,
    find_by_phone,
    find_subject,
    full_identity,
    person_hashes,
    phone_of,
    subject_at,
    ties_at,
)
from xinzheng.apps.registry.subject_queries import ERASED
from xinzheng.core.identifiers import identity_check_character
from xinzheng.core.subjects import Subject as SeenSubject
from xinzheng.core.subjects import SubjectKind, Tie

pytestmark = pytest.mark.django_db

NAME, NEW_NAME = "示甲某", "示乙某"
NUMBER = "33050219900101001" + identity_check_character("33050219900101001")
OTHER = "33050219850505002" + identity_check_character("33050219850505002")
MASKED = f"330502********{NUMBER[-4:]}"


@pytest.fixture(autouse=True)
def keys(settings: Settings, tmp_path: Path) -> Path:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    return tmp_path / "keys"


def imported(tmp_path: Path, *lines: str) -> int | None:
    path = tmp_path / "persons.csv"
    path.write_text("\n".join(["姓名,公民身份号码,类型,住所", *lines]), encoding="utf-8")
    result = import_subjects(path, by="command-line")
    assert result.rejected == 0
    return result.position


def person(number: str = NUMBER) -> int:
    subject_id = find_subject(number)
    assert subject_id is not None
    return subject_id


def everything_in_the_database() -> bytes:
    """Every row of every table as text, byte columns decoded."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'")
        rows = []
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT * FROM {table}")
            rows += cursor.fetchall()
    cells = (cell for row in rows for cell in row)
    return b"\n".join(bytes(c) if isinstance(c, bytes | memoryview) else str(c).encode() for c in cells)


def test_a_person_is_found_by_number_and_seen_masked(tmp_path: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,")
    assert subject_at(person(), head_position()) == SeenSubject(SubjectKind.NATURAL_PERSON, "示＊＊", MASKED)
    assert find_subject(f" {NUMBER[:6]} {NUMBER[6:]}".lower()) == person()
    assert find_subject(OTHER) is None
    assert ties_at(person(), head_position()) == {person(): Tie.SELF}


def test_an_identity_number_alone_tells_that_it_is_a_person(tmp_path: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},,")
    assert subject_at(person(), head_position()).kind is SubjectKind.NATURAL_PERSON


def test_neither_name_nor_number_nor_address_stands_in_any_table(tmp_path: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,湖州市示例路1号")
    imported(tmp_path, f"{NEW_NAME},{NUMBER},自然人,湖州市示例路1号")
    entry = open_entry(kind="batch", by="system")
    register_unknown_subjects([Sighting(OTHER, NAME, is_person=True)], entry=entry)
    kept = everything_in_the_database()
    assert b"subjects-imported" in kept
    for secret in (NAME, NEW_NAME, NUMBER, OTHER, "示例路"):
        assert secret.encode() not in kept
        assert secret.encode("utf-16-le") not in kept
        assert ascii(secret)[1:-1].encode() not in kept


def test_importing_the_same_person_again_changes_nothing(tmp_path: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,")
    assert imported(tmp_path, f"{NAME},{NUMBER},自然人,") is None
    assert PersonIdentity.objects.count() == Entry.objects.count() == 1


def test_a_person_s_new_name_is_seen_from_its_position_on(tmp_path: Path) -> None:
    before = imported(tmp_path, f"王{NAME},{NUMBER},自然人,")
    imported(tmp_path, f"{NEW_NAME},{NUMBER},自然人,")
    assert before is not None
    assert subject_at(person(), before).name == "王＊＊＊"
    assert subject_at(person(), head_position()).name == "示＊＊"
    assert PersonIdentity.objects.count() == 1


def test_a_person_s_status_stays_while_the_file_does_not_tell_it(tmp_path: Path) -> None:
    path = tmp_path / "status.csv"
    path.write_text(f"姓名,公民身份号码,登记状态\n{NAME},{NUMBER},注销\n", encoding="utf-8")
    assert import_subjects(path, by="system").new == 1
    assert import_subjects(path, by="system").identical == 1
    assert imported(tmp_path, f"{NAME},{NUMBER},自然人,") is None
    assert subject_at(person(), head_position()).is_deregistered


def test_two_persons_of_one_name_have_nothing_in_common_in_the_table(tmp_path: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,", f"{NAME},{OTHER},自然人,")
    one, two = PersonIdentity.objects.all()
    assert bytes(one.name_ct) != bytes(two.name_ct)
    assert bytes(one.wrapped_key) != bytes(two.wrapped_key)


def test_a_ciphertext_moved_to_another_person_is_not_read(tmp_path: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,", f"{NAME},{OTHER},自然人,")
    one, two = PersonIdentity.objects.all()
    PersonIdentity.objects.filter(pk=one.pk).update(wrapped_key=two.wrapped_key, name_ct=two.name_ct)
    with pytest.raises(KeyFileError):
        subject_at(one.pk, head_position())


def test_erasing_a_person_leaves_the_surrogate_and_no_identity(tmp_path: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,")
    subject_id = person()
    position = erase_person(subject_id, by="account:1")
    assert position == head_position()
    assert not PersonIdentity.objects.exists()
    assert Subject.objects.filter(pk=subject_id).exists()
    assert find_subject(NUMBER) is None
    assert subject_at(subject_id, position) == SeenSubject(SubjectKind.NATURAL_PERSON, ERASED, "")
    assert AuditEvent.objects.filter(action="person-erased", object_id=str(subject_id), who="account:1").count() == 1


def test_an_organisation_or_an_erased_person_cannot_be_erased(tmp_path: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,")
    subject_id = person()
    erase_person(subject_id, by="system")
    with pytest.raises(UnknownSubjectError):
        erase_person(subject_id, by="system")
    assert Entry.objects.filter(kind="person-erased").count() == 1


def test_the_keys_stand_outside_the_database_readable_by_their_owner_only(tmp_path: Path, keys: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,")
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {path.name for path in keys.iterdir()} == {KEY_ENCRYPTION, NUMBER_HASH}
    for path in keys.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_size == 32
        assert path.read_bytes() not in everything_in_the_database()


def test_lost_keys_are_not_silently_replaced(tmp_path: Path, settings: Settings) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,")
    settings.XINZHENG_KEYS = tmp_path / "elsewhere"
    with pytest.raises(KeyFileError, match="从备份恢复"):
        find_subject(NUMBER)
    assert not (tmp_path / "elsewhere").exists()


def test_the_keys_of_another_installation_do_not_open_anything(tmp_path: Path, settings: Settings) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,")
    subject_id = person()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for name in (KEY_ENCRYPTION, NUMBER_HASH):
        (foreign / name).write_bytes(b"x" * 32)
    settings.XINZHENG_KEYS = foreign
    assert find_subject(NUMBER) is None
    with pytest.raises(KeyFileError) as refused:
        subject_at(subject_id, head_position())
    assert refused.value.code == "key-does-not-fit"


def test_a_damaged_key_file_is_told_by_its_path(tmp_path: Path, keys: Path) -> None:
    keys.mkdir()
    (keys / NUMBER_HASH).write_bytes(b"short")
    with pytest.raises(KeyFileError, match=NUMBER_HASH):
        find_subject(NUMBER)


def test_hashes_find_persons_set_wise(tmp_path: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,")
    hashes = person_hashes([NUMBER, OTHER, NUMBER.lower()])
    assert hashes[0] == hashes[2] != hashes[1]
    found = PersonIdentity.objects.filter(number_hash__in=hashes).values_list("subject_id", flat=True)
    assert list(found) == [person()]


def test_a_person_met_in_a_batch_is_registered_for_review(tmp_path: Path) -> None:
    entry = open_entry(kind="batch", by="system")
    ids = register_unknown_subjects([Sighting(NUMBER, NAME, is_person=True)], entry=entry)
    take_position(entry)
    assert ids == {NUMBER: person()}
    assert subject_at(person(), head_position()).name == "示＊＊"
    assert imported(tmp_path, f"{NAME},{NUMBER},自然人,") is not None  # it leaves the queue
    assert imported(tmp_path, f"{NAME},{NUMBER},自然人,") is None


def test_a_person_who_signs_in_is_registered_once_and_not_queued_for_review() -> None:
    before = head_position()
    subject_id = register_person(f" {NUMBER[:6]} {NUMBER[6:]}", NAME, by="system")
    assert head_position() == before + 1
    assert register_person(NUMBER, NEW_NAME, by="system") == subject_id == person()
    assert head_position() == before + 1
    assert subject_at(subject_id, head_position()) == SeenSubject(SubjectKind.NATURAL_PERSON, "示＊＊", MASKED)
    assert not ReviewItem.objects.exists()
    events = AuditEvent.objects.filter(action="person-registered", subject_id=subject_id)
    assert [event.object_id for event in events] == [str(subject_id)]


def test_a_person_who_signs_in_is_the_one_that_a_batch_had_met(tmp_path: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,")
    assert register_person(NUMBER, NEW_NAME, by="system") == person()
    assert PersonIdentity.objects.count() == 1


@pytest.mark.parametrize("wrong", ["", "330502", NUMBER[:17] + ("0" if NUMBER[17] != "0" else "1"), "\0" * 18])
def test_a_number_that_is_none_registers_nobody_and_is_not_repeated(wrong: str) -> None:
    with pytest.raises(PersonError) as caught:
        register_person(wrong, NAME, by="system")
    assert caught.value.code == "identity-number-invalid"
    assert not wrong or wrong not in caught.value.message
    assert not Subject.objects.exists()
    assert not Entry.objects.exists()


def test_the_full_identity_is_the_newest_name_and_the_number(tmp_path: Path) -> None:
    imported(tmp_path, f"{NAME},{NUMBER},自然人,")
    imported(tmp_path, f"{NEW_NAME},{NUMBER},自然人,")
    full = full_identity(person())
    assert full is not None
    assert (full.name, full.number) == (NEW_NAME, NUMBER)


def test_a_phone_is_sealed_and_found_by_its_hash_only() -> None:
    subject_id = register_person(NUMBER, NAME, by="system")
    other = register_person(OTHER, NAME, by="system")
    keep_phone(subject_id, "+86 138-1234-5678", by="system")
    keep_phone(other, "13812345678", by="system")
    assert phone_of(subject_id) == "13812345678"
    assert find_by_phone("138 1234 5678") == sorted((subject_id, other))
    assert find_by_phone("13812345679") == find_by_phone("12345") == []
    kept = everything_in_the_database()
    assert b"phone-kept" in kept
    assert b"13812345678" not in kept
    one, two = PersonContact.objects.all()
    assert bytes(one.phone_ct) != bytes(two.phone_ct)


def test_the_same_phone_again_changes_nothing_and_another_takes_its_place() -> None:
    subject_id = register_person(NUMBER, NAME, by="system")
    keep_phone(subject_id, "13812345678", by="system")
    keep_phone(subject_id, "008613812345678", by="system")
    assert AuditEvent.objects.filter(action="phone-kept").count() == 1
    keep_phone(subject_id, "13912345678", by="system")
    assert (find_by_phone("13812345678"), find_by_phone("13912345678")) == ([], [subject_id])


@pytest.mark.parametrize("wrong", ["", "12345678901", "138123456789", "0512-65220000", "1381234567a"])
def test_what_is_no_phone_is_not_kept(wrong: str) -> None:
    subject_id = register_person(NUMBER, NAME, by="system")
    with pytest.raises(PersonError) as caught:
        keep_phone(subject_id, wrong, by="system")
    assert caught.value.code == "phone-invalid"
    assert not PersonContact.objects.exists()


def test_a_phone_is_forgotten_alone_or_with_the_person() -> None:
    subject_id = register_person(NUMBER, NAME, by="system")
    keep_phone(subject_id, "13812345678", by="system")
    assert forget_phone(subject_id, by="system")
    assert not forget_phone(subject_id, by="system")
    keep_phone(subject_id, "13812345678", by="system")
    erase_person(subject_id, by="system")
    assert phone_of(subject_id) is None
    with pytest.raises(PersonError):
        keep_phone(subject_id, "13812345678", by="system")
