"""Publishing packs: what is refused, what is written down, that nothing of it can be edited; another policy."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from tests.draft_packs import LENIENTLY, POLICY, files, publish, publishing, tomorrow
from tests.module_database import module_database, refusal_code, undone_after
from tests.small_city import BY, today
from xinzheng.adapters.policy_files import list_policies, pack_digest
from xinzheng.apps.audit.models import AuditEvent, Entry, Position
from xinzheng.apps.reports import packs
from xinzheng.apps.reports.models import PackExtension, PackPublication, StoredInput
from xinzheng.apps.reports.publishing import Publishing, PublishingError, publish_pack, record_extension
from xinzheng.core.policy import Extension

db, undone = module_database, undone_after
pytestmark = pytest.mark.usefixtures("undone")


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (lambda: publishing(files(POLICY, LENIENTLY), today()), "pack-from-the-past"),
        (lambda: publishing(files(POLICY, LENIENTLY), date(2025, 1, 1)), "pack-from-the-past"),
        (lambda: publishing(files(POLICY, ("from: 2024-03-01", "from: 2099-03-01"))), "pack-unfit"),
        (
            lambda: publishing(files("national-2025", ("from: 2025-05-07", "from: 2099-03-01")), None, "national-2025"),
            "pack-before-its-effect",
        ),
        # Suzhou's own end is prolonged until the last day of 2027.
        (lambda: publishing(files(POLICY, LENIENTLY), date(2028, 1, 1)), "pack-over-already"),
        (lambda: publishing(files("huzhou-2023")), "pack-other-policy"),
        (lambda: publishing(files(POLICY, ('code: "320500"', 'code: "330500"'))), "pack-other-policy"),
        (lambda: publishing(files(POLICY, ("clauses:", "clausen:"))), "pack-unfit"),
        (lambda: publishing({"policy.yaml": b"id: &a [*a]"}), "pack-unfit"),
        (lambda: publishing(files(POLICY, ("number_prefix: ", f"number_prefix: {huzhou()} #"))), "pack-prefix-taken"),
        (lambda: publishing(files(POLICY, ("clauses:", "# 13800138000\nclauses:"))), "pack-holds-numbers"),
        (lambda: publishing(files(POLICY, ("clauses:", "# １３８００１３８０００\nclauses:"))), "pack-holds-numbers"),
        (lambda: Publishing(POLICY, files(), tomorrow(), "文号", " "), "reason-missing"),
        (lambda: Publishing(POLICY, files(), tomorrow(), "13800138000 2026", "理由"), "text-not-kept"),
        (lambda: Publishing(POLICY, files(), tomorrow(), "13800138000", "理由"), "text-not-kept"),
    ],
)
def test_what_cannot_be_published_is_refused(new: Callable[[], Publishing], code: str) -> None:
    assert refusal_code(publish_pack, new(), by=BY) == code
    assert not PackPublication.objects.exists()
    assert not Entry.objects.filter(kind="pack-published").exists()


def huzhou() -> str:
    return packs.current_policy("huzhou-2023").number_prefix


def test_mistakes_are_told_with_file_and_line() -> None:
    with pytest.raises(PublishingError, match=r"policy\.yaml:\d+：") as refused, transaction.atomic():
        publish_pack(publishing(files(POLICY, ("clauses:", "clausen:"))), by=BY)
    mistakes = refused.value.context["mistakes"]
    assert isinstance(mistakes, tuple)
    assert all(mistake.line for mistake in mistakes)


def test_a_pack_that_holds_already_is_not_published_again() -> None:
    publish()
    again = publishing(files(POLICY, LENIENTLY), today() + timedelta(days=30))
    assert refusal_code(publish_pack, again, by=BY) == "pack-published-already"


def test_publishing_is_an_entry_with_its_place_and_an_event_that_says_what() -> None:
    pack = files(POLICY, LENIENTLY)
    position = publish_pack(publishing(pack), by=BY)
    entry = Position.objects.get(position=position).entry
    assert (entry.kind, entry.actor, PackPublication.objects.get().entry) == ("pack-published", BY, entry)
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.object_kind, event.object_id) == ("pack-published", "pack", POLICY)
    assert event.details["sha256"] == pack_digest(pack)
    assert event.details["from"] == tomorrow().isoformat()


@pytest.mark.parametrize("model", [PackPublication, PackExtension, StoredInput])
def test_nothing_published_can_be_edited(model: Any) -> None:
    publish()
    record_extension(POLICY, Extension("演示延期〔2027〕1号", date(2029, 1, 1)), by=BY)
    for change in (lambda: model.objects.all().delete(), lambda: model.objects.update(**{changed(model): "x"})):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")


def changed(model: Any) -> str:
    return {PackPublication: "document", PackExtension: "note", StoredInput: "name"}[model]


# --- another policy -------------------------------------------------------------------------------------------------


NEW = "suzhou-2027"
LASTS = ("until: 2026-02-28", "until: 2099-12-31")


def new_policy(*changes: tuple[str, str]) -> dict[str, bytes]:
    return files(POLICY, (f"id: {POLICY}", f"id: {NEW}"), *changes)


def test_another_policy_has_numbers_of_its_own_and_is_there_from_its_day_on() -> None:
    prefix = packs.current_policy(POLICY).number_prefix
    assert refusal_code(publish_pack, publishing(new_policy(LASTS), None, NEW), by=BY) == "pack-prefix-taken"
    own = new_policy(LASTS, (f"number_prefix: {prefix}", "number_prefix: SX"))
    publish_pack(publishing(own, None, NEW), by=BY)
    assert NEW not in packs.policy_ids()
    assert refusal_code(packs.current_policy, NEW) == "unknown-policy"
    assert packs.policy_ids(tomorrow()) == tuple(sorted((*list_policies(), NEW)))
    assert packs.current_policy(NEW, tomorrow()).number_prefix == "SX"
    assert packs.shipped_digest(NEW) is None
    assert packs.ports.policy_files().guide_words(NEW) == {}
    assert packs.ports.policy_files().decree_text(NEW) == ""
    assert refusal_code(packs.current_setting, NEW) == "deployment-unknown"
    taken = publishing(files(POLICY, (f"number_prefix: {prefix}", "number_prefix: SX")))
    assert refusal_code(publish_pack, taken, by=BY) == "pack-prefix-taken"
