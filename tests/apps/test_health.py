"""What the system says of its own health: each trouble is found, named, and comes with what to do."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.utils import timezone

from tests.module_database import module_database
from xinzheng.adapters.policy_files import pack_bytes, pack_digest
from xinzheng.adapters.signing import ensure_demo_keys
from xinzheng.apps.audit.actions import record_event, take_position
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.audit.seals import seal_events
from xinzheng.apps.codes.mail_models import MailAddress
from xinzheng.apps.oversight import health_keys, health_storage, health_work
from xinzheng.apps.oversight.health import NEEDED, PROBES, TITLES, Check, State, checks, worst
from xinzheng.apps.registry.keys import KEY_ENCRYPTION, NUMBER_HASH
from xinzheng.apps.reports.models import PackPublication, StoredInput
from xinzheng.core.decision import china_date

db = module_database
GOOD_KEY = b"k" * 32


@pytest.fixture(autouse=True)
def undone(db: None) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def asked(name: str, now: datetime | None = None) -> Check:
    (found,) = checks(now or timezone.now(), [name])
    return found


def put_key(folder: Path, name: str, secret: bytes = GOOD_KEY, mode: int = 0o600) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(secret)
    (folder / name).chmod(mode)


def put_backup(folder: Path, at: datetime) -> None:
    """The note of a backup, as the backup tool leaves it."""
    (folder / "base").mkdir(parents=True, exist_ok=True)
    note = {"version": 1, "started_at": at.isoformat(), "finished_at": at.isoformat(), "timeline": 1}
    note |= {"start": "0/2000028", "end": "0/2000100", "size": 1, "is_archived": True, "noted": {}}
    (folder / "base" / f"{at:%Y%m%dT%H%M%S}Z.json").write_text(json.dumps(note), encoding="utf-8")


def job(status: str, put_at: datetime, queue: str = "reports", event: str = "deferred") -> None:
    """A job of the queue, as its own library writes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES (%s, 'some.task', %s) RETURNING id",
            [queue, status],
        )
        (number,) = cursor.fetchone()
        cursor.execute("DELETE FROM procrastinate_events WHERE job_id = %s", [number])
        cursor.execute(
            "INSERT INTO procrastinate_events (job_id, type, at) VALUES (%s, %s, %s)", [number, event, put_at]
        )


def worker(heartbeat: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)", [heartbeat])


# --- all of them -----------------------------------------------------------------------------------------------------


def test_every_check_has_a_name_for_people_and_says_something() -> None:
    found = checks(timezone.now())
    assert [check.name for check in found] == list(PROBES) == list(TITLES)
    assert all(check.said.endswith("。") for check in found), [check.said for check in found]
    # Whoever reads of trouble reads what to do about it.
    assert [check.name for check in found if check.state in (State.WARNING, State.BAD) and not check.to_do] == []
    assert set(NEEDED) <= set(PROBES)


def test_the_worst_state_speaks_for_all() -> None:
    states = [State.OK, State.UNKNOWN, State.WARNING, State.BAD]
    some = [Check("disk", state, "") for state in states]
    assert [worst(some[: n + 1]) for n in range(4)] == states
    assert worst(()) is State.OK


# --- what things are kept in -----------------------------------------------------------------------------------------


def test_a_database_that_can_be_written_and_is_up_to_date_is_well() -> None:
    found = checks(timezone.now(), ["database", "migrations"])
    assert [check.state for check in found] == [State.OK, State.OK]
    assert "可以读写" in found[0].said


def test_a_migration_that_was_not_applied_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'oversight' AND name LIKE '0004%'")
    found = asked("migrations")
    assert found.state is State.BAD
    assert "oversight 0004" in found.said


def test_little_room_on_a_disk_is_told_before_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    gib, usage = health_storage.GIBIBYTE, type(health_storage.shutil.disk_usage("/"))
    seen = []
    for free in (200, 50, 1):
        room = usage(1000 * gib, (1000 - free) * gib, free * gib)
        monkeypatch.setattr(health_storage.shutil, "disk_usage", lambda _place, room=room: room)
        seen.append(asked("disk").state)
    assert seen == [State.OK, State.WARNING, State.BAD]


def test_backups_are_asked_for_found_and_missed(settings: LazySettings, tmp_path: Path) -> None:
    assert asked("backups").state is State.WARNING
    settings.XINZHENG_BACKUP = str(tmp_path)
    assert asked("backups").state is State.BAD
    (tmp_path / "base" / "20260101T000000Z").mkdir(parents=True)
    assert asked("backups").state is State.BAD, "broken off: it has no note"
    now = timezone.now()
    put_backup(tmp_path, now - timedelta(days=9))
    put_backup(tmp_path, now)
    later = [asked("backups", now + timedelta(hours=hours)).state for hours in (1, 30, 60)]
    assert later == [State.OK, State.WARNING, State.BAD]


def test_backups_of_a_database_of_others_cannot_be_looked_at(settings: LazySettings) -> None:
    settings.XINZHENG_EMBEDDED = False
    assert asked("backups").state is State.UNKNOWN
    settings.XINZHENG_REPLICAS = ("second",)
    assert asked("replicas").state is State.BAD


def test_a_standby_server_that_is_gone_is_named(settings: LazySettings) -> None:
    assert asked("replicas").state is State.OK
    settings.XINZHENG_REPLICAS = ("second",)
    found = asked("replicas")
    assert found.state is State.BAD
    assert "second" in found.said


# --- keys ------------------------------------------------------------------------------------------------------------


def test_keys_are_there_readable_and_nobody_elses(settings: LazySettings, tmp_path: Path) -> None:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    assert asked("keys").state is State.OK
    for name in (KEY_ENCRYPTION, NUMBER_HASH):
        put_key(tmp_path / "keys", name)
    assert asked("keys").state is State.OK
    put_key(tmp_path / "keys", NUMBER_HASH, mode=0o644)
    assert asked("keys").state is State.WARNING
    put_key(tmp_path / "keys", NUMBER_HASH, b"short")
    found = asked("keys")
    assert found.state is State.BAD
    assert NUMBER_HASH in found.said


def test_a_key_that_is_gone_while_something_is_encrypted_under_it_is_trouble(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.XINZHENG_KEYS = tmp_path
    put_key(tmp_path, NUMBER_HASH)
    MailAddress.objects.create(account_id=1, wrapped_key=b"wrapped", address_ct=b"sealed")
    found = asked("keys")
    assert found.state is State.BAD
    assert KEY_ENCRYPTION in found.said


def test_a_certificate_is_told_of_before_it_ends(settings: LazySettings, tmp_path: Path) -> None:
    settings.XINZHENG_KEYS = tmp_path
    assert "出具第一份报告时生成" in asked("certificate").said
    ensure_demo_keys(tmp_path / "signing", timezone.now())
    assert asked("certificate").state is State.OK
    until = health_keys.expiry()
    assert until is not None
    soon, over = asked("certificate", until - timedelta(days=30)), asked("certificate", until + timedelta(days=1))
    assert (soon.state, over.state) == (State.WARNING, State.BAD)
    assert "xinzheng signing rotate" in soon.to_do
    assert "已于" in over.said
    settings.XINZHENG_DEMONSTRATION = False
    found = asked("certificate")
    assert found.state is State.WARNING
    assert "演示证书" in found.said


def test_stamps_that_nobody_gives_or_that_are_waited_for_are_told(settings: LazySettings, tmp_path: Path) -> None:
    settings.XINZHENG_KEYS, now = tmp_path, timezone.now()
    ensure_demo_keys(tmp_path / "signing", now)
    assert asked("time-stamp").state is State.OK
    record_event(who="test", action="report-unstamped", object_kind="report", object_id="SZ1")
    later = [asked("time-stamp", now + timedelta(hours=hours)).state for hours in (0, 3)]
    assert later == [State.OK, State.WARNING]
    settings.XINZHENG_TSA = "https://tsa.example/"
    assert asked("time-stamp").state is State.BAD
    settings.XINZHENG_TSA, settings.XINZHENG_DEMONSTRATION = "", False
    assert asked("time-stamp").state is State.WARNING


# --- what runs by itself ---------------------------------------------------------------------------------------------


def test_a_queue_that_nobody_works_off_is_trouble() -> None:
    now = timezone.now()
    assert asked("queue", now).state is State.BAD
    worker(now - timedelta(seconds=70))
    assert asked("queue", now).state is State.BAD
    worker(now - timedelta(seconds=5))
    assert asked("queue", now).state is State.OK


def test_jobs_that_wait_too_long_and_jobs_that_failed_are_told() -> None:
    now = timezone.now()
    worker(now)
    job("todo", now - timedelta(minutes=5))
    job("succeeded", now - timedelta(hours=5))
    job("failed", now - timedelta(hours=30), event="failed")
    assert asked("queue", now).state is State.OK
    job("failed", now - timedelta(hours=2), event="failed")
    found = asked("queue", now)
    assert found.state is State.WARNING
    assert "some.task（1次）" in found.said
    job("todo", now - timedelta(hours=2), queue="intake")
    assert asked("queue", now).state is State.BAD
    assert [(one.queue, one.count) for one in health_work.waiting_jobs(now)] == [("intake", 1), ("reports", 1)]


def test_events_that_wait_for_their_seal_are_counted_with_their_age() -> None:
    seal_events(timezone.now())
    assert health_work.unsealed().events == 0
    record_event(who="test", action="signed-in", object_kind="account", object_id="1")
    now = timezone.now()
    assert health_work.unsealed().events == 1
    seen = [asked("sealing", now + timedelta(minutes=minutes)).state for minutes in (0, 5, 20)]
    assert seen == [State.OK, State.WARNING, State.BAD]


def test_a_published_pack_that_differs_from_the_shipped_one_is_told() -> None:
    day = china_date(timezone.now())
    assert "按已发布的版本" not in asked("packs").said
    files = pack_bytes("suzhou-2024")
    own = {name: data.decode() + "# ours\n" for name, data in files.items()}
    digest = bytes.fromhex(pack_digest({name: text.encode() for name, text in own.items()}))
    kept = StoredInput.objects.create(sha256=digest, kind="policy", name="suzhou-2024", body=own)
    entry = Entry.objects.create(kind="pack-published", actor="test")
    PackPublication.objects.create(entry=entry, policy_id="suzhou-2024", pack=kept, from_date=day, reason="x")
    take_position(entry)
    found = asked("packs")
    assert found.state is State.WARNING
    assert "suzhou-2024 按已发布的版本办理" in found.said


def test_working_days_of_a_year_that_was_not_announced_are_missed() -> None:
    far = timezone.make_aware(datetime.combine(date(2035, 6, 1), datetime.min.time()))
    found = asked("calendar", far)
    assert found.state is State.BAD
    assert "2035" in found.said
    assert "XINZHENG_CALENDAR_YEARS" in found.to_do
