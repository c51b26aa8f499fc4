"""Identifiers met in a batch: registered once, whoever comes first, and queued for review."""

import threading

import pytest
from django.db import connection, transaction

from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.actions import Sighting, register_unknown_subjects
from xinzheng.apps.registry.models import ReviewItem, Subject, SubjectCode, SubjectVersion
from xinzheng.apps.registry.queries import UnknownSubjectError, find_subject, subject_at
from xinzheng.core.identifiers import organisation_check_character, uscc_check_character
from xinzheng.core.subjects import SubjectKind


def code_of(number: int, prefix: str = "91320594") -> str:
    body = f"MA{number:06d}"
    first = f"{prefix}{body}{organisation_check_character(body)}"
    return first + uscc_check_character(first)


def register(*sightings: Sighting) -> dict[str, int]:
    with transaction.atomic():
        entry = open_entry(kind="batch", by="system")
        ids = register_unknown_subjects(sightings, entry=entry)
        take_position(entry)
    return ids


@pytest.mark.django_db
def test_an_unknown_code_gets_a_subject_and_a_place_in_the_review_queue() -> None:
    ids = register(Sighting(code_of(1), "甲公司"), Sighting(code_of(2, "92320594"), "乙店"))
    assert ids == {code_of(1): find_subject(code_of(1)), code_of(2, "92320594"): find_subject(code_of(2, "92320594"))}
    assert ReviewItem.objects.count() == 2
    seen = subject_at(ids[code_of(2, "92320594")], head_position())
    assert (seen.kind, seen.name, seen.identifier) == (
        SubjectKind.INDIVIDUAL_BUSINESS, "乙店", code_of(2, "92320594"),
    )  # fmt: skip


@pytest.mark.django_db
def test_a_known_code_keeps_its_subject_and_its_version() -> None:
    first = register(Sighting(code_of(1), "甲公司"))
    again = register(Sighting(code_of(1), "甲公司改了名"), Sighting(code_of(2), "乙公司"))
    assert again[code_of(1)] == first[code_of(1)]
    assert ReviewItem.objects.count() == SubjectVersion.objects.count() == Subject.objects.count() == 2
    assert subject_at(first[code_of(1)], head_position()).name == "甲公司"


@pytest.mark.django_db
def test_the_kind_a_batch_tells_outranks_the_code() -> None:
    ids = register(Sighting(code_of(1), "甲合伙企业", SubjectKind.UNINCORPORATED_ENTERPRISE))
    assert subject_at(ids[code_of(1)], head_position()).kind is SubjectKind.UNINCORPORATED_ENTERPRISE


@pytest.mark.django_db
def test_a_subject_of_unknown_kind_is_kept_but_not_answered_for() -> None:
    ids = register(Sighting(code_of(1, "11320594"), "某机关"))
    with pytest.raises(UnknownSubjectError) as refused:
        subject_at(ids[code_of(1, "11320594")], head_position())
    assert refused.value.code == "subject-kind-unknown"


@pytest.mark.django_db
def test_a_subject_is_not_in_the_register_before_its_position() -> None:
    ids = register(Sighting(code_of(1), "甲公司"))
    with pytest.raises(UnknownSubjectError) as refused:
        subject_at(ids[code_of(1)], 0)
    assert refused.value.code == "subject-unknown"


@pytest.mark.django_db
def test_nothing_to_register_registers_nothing() -> None:
    assert register() == {}
    assert not Subject.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_batches_that_meet_the_same_codes_at_once_share_the_subjects() -> None:
    sightings = [Sighting(code_of(number), f"甲{number}公司") for number in range(200)]
    found: list[dict[str, int]] = []
    start = threading.Barrier(4)

    def batch(turn: int) -> None:
        try:
            start.wait(10)
            found.append(register(*sightings[turn * 10 :], *sightings[: turn * 10]))
        finally:
            connection.close()

    threads = [threading.Thread(target=batch, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 4
    assert all(ids == found[0] for ids in found)
    assert SubjectCode.objects.count() == Subject.objects.count() == 200
    assert ReviewItem.objects.count() == SubjectVersion.objects.count() == 200
