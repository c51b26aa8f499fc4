"""Backups: what is restored from them is the city as it was, to the point asked for, and nobody who was erased."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from tests.conftest import HOME
from tests.module_database import refusal_code
from tests.small_city import build_small_city, uscc
from xinzheng.adapters.postgres_embedded import (
    Backup,
    ConnectionInfo,
    Keeping,
    Until,
    backups_in,
    check_backup,
    connection_info,
    fitting_backup,
    keep_newest,
    make_backup,
    make_point,
    note_erased,
    restore,
)
from xinzheng.adapters.postgres_embedded.archive import segment_name, write_keeping
from xinzheng.adapters.postgres_embedded.layout import SUPERUSER, as_runner, make_home, prepare_layout
from xinzheng.adapters.postgres_embedded.server import control
from xinzheng.apps.audit.log import seal_log
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.oversight.erasing import erasures
from xinzheng.apps.registry.actions import register_person
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.cli import main
from xinzheng.core.decision import Request

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

NUMBER = "11010119900307475X"
CHECKS = """
import sys
from xinzheng.cli import main
codes = [main(["report", "replay", sys.argv[1]]), main(["log", "verify"]), main(["audit", "verify"])]
from xinzheng.apps.registry.persons import full_identity
from xinzheng.apps.audit.models import AuditEvent
told = AuditEvent.objects.get(action="backup-restored").details
print(codes, full_identity(int(sys.argv[2])), told["erased_again"])
"""


@dataclass(frozen=True)
class Installation:
    """A server of its own that archives, with a copy of the test's city in it (一套安装)."""

    home: Path
    folder: Path
    info: ConnectionInfo


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder every user can enter; the servers in it are stopped afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="xz-backup-"))
    folder.chmod(0o755)
    yield folder
    for home in (folder / "first", folder / "second"):
        if home.exists():
            layout = prepare_layout(home)
            # What they hold is thrown away: nothing has to be written to the disk.
            as_runner(layout.runner, [*control(layout), "stop", "-m", "immediate"])
    shutil.rmtree(folder)


@pytest.fixture
def issued(transactional_db: None, tmp_path: Path) -> str:
    """The number of a report in a city whose every domain is covered, in the log already."""
    city = build_small_city(tmp_path, units_per_domain=1)
    city.declare_everything()
    report = issue_report(Order(city.policy_id, city.firm(uscc(1)), Request(), "test"))
    seal_log(datetime.now(UTC))
    return report.number


def copied_installation(place: Path) -> Installation:
    """The server of the tests, copied by a backup of its own and restored as one that archives."""
    home, folder = place / "first", place / "backups"
    with override_settings(XINZHENG_BACKUP=str(place / "copy")):
        assert main(["backup", "make"]) == 0
    assert AuditEvent.objects.filter(action="backup-made").count() == 1
    (copy,) = backups_in(place / "copy")
    assert not copy.is_archived
    assert refusal_code(restore, copy, home, Until(point="somewhere")) == "wal-missing"
    write_keeping(prepare_layout(make_home(home)), home, Keeping(archive=folder))
    info = restore(copy, home, Until())
    with psycopg.connect(host=info.host, port=info.port, user=SUPERUSER, dbname="postgres", autocommit=True) as admin:
        # Commands that are not told otherwise work in the database of this name.
        admin.execute("DROP DATABASE xinzheng")
        admin.execute(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" RENAME TO xinzheng')
    return Installation(home, folder, info)


def later_work(first: Installation) -> None:
    """Something that is committed after the point, and in the archive when it is over."""
    with psycopg.connect(first.info.url, autocommit=True) as work:
        work.execute("CREATE TABLE later ()")
    make_point(first.home, first.folder, "later")


def commands(home: Path, *arguments: str) -> str:
    """A Python program in a process of its own, in this home, over its own database."""
    environment = {**os.environ, "XINZHENG_HOME": str(home), "PYTHONPATH": "src"}
    environment.pop("XINZHENG_DATABASE_URL", None)
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_a_restored_city_replays_its_reports_and_has_nobody_who_was_erased(
    issued: str, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person = register_person(NUMBER, "示例人", by="test")
    first = copied_installation(place)
    made = make_backup(first.home, first.folder, {"position": 1})
    point = make_point(first.home, first.folder, "before_release")
    later_work(first)
    # He is erased after the point; an old list may also name the key that somebody else has now.
    (known,) = erasures([person])
    stranger = {"subject": person, "registered_at": (known.registered_at - timedelta(days=9)).isoformat()}
    note_erased(first.folder, [known.as_json(), stranger, known.as_json()])

    second, passphrase = place / "second", tmp_path / "passphrase"
    passphrase.write_text("correct horse battery staple\n")
    with override_settings(XINZHENG_BACKUP=str(first.folder)):
        sealing = ["backup", "keys", "--passphrase-file", str(passphrase), "--to"]
        assert main([*sealing, str(first.folder / "keys")]) == 1
        assert main([*sealing, str(tmp_path / "apart")]) == 0
        (sealed,) = (tmp_path / "apart").iterdir()
        opening = ["backup", "open-keys", str(sealed), "--to", str(second), "--passphrase-file", str(passphrase)]
        assert main(opening) == 0
        assert main(["backup", "restore", "--to", str(second), "--point", "before_release"]) == 0
        assert main(["backup", "check"]) == 0
        assert main(["backup", "list"]) == 0
    told = capsys.readouterr()
    assert all(words in told.err for words in ("没有归档", "密钥不能与数据备份放在一起"))
    assert all(words in told.out for words in ("再次删除", "没有缺失", "恢复点 before_release"))
    said = commands(second, "-c", CHECKS, issued, str(person))
    assert said.splitlines()[-1] == "[0, 0, 0] None 1"
    with psycopg.connect(connection_info(second).url) as seen:
        assert seen.execute("SELECT to_regclass('later')").fetchone() == (None,)
    the_rest_of_the_archive(first, made, point.place)


def the_rest_of_the_archive(first: Installation, made: Backup, place: str) -> None:
    """Where nothing can be restored to, it is said; what is missing or changed is found before anything is restored."""
    folder, now = first.folder, datetime.now(UTC)
    assert backups_in(folder) == [made] == [fitting_backup(folder, Until(position=place))]
    assert refusal_code(fitting_backup, folder, Until(point="never")) == "point-unknown"
    assert refusal_code(fitting_backup, folder, Until(moment=made.started_at)) == "backup-too-young"
    assert refusal_code(make_point, first.home, folder, "later") == "point-exists"
    assert refusal_code(make_backup, HOME, folder) == "backup-folder-of-another"
    nowhere = folder.parent / "third"
    assert refusal_code(restore, made, first.home, Until()) == "home-not-empty"
    assert refusal_code(restore, made, nowhere, Until(moment=now + timedelta(days=1))) == "wal-missing"
    assert not (nowhere / "pg").exists()

    segment = folder / "wal" / f"{segment_name(made.timeline, made.first_segment)}.gz"
    kept = segment.read_bytes()
    segment.write_bytes(kept[:-9])
    assert refusal_code(check_backup, made) == "backup-broken"
    segment.unlink()
    assert refusal_code(restore, made, nowhere, Until()) == "wal-missing"
    segment.write_bytes(kept)
    assert check_backup(made) > 1

    relation = made.path / "global" / "pg_control"
    relation.write_bytes(relation.read_bytes()[:-1] + b"x")
    assert refusal_code(restore, made, nowhere, Until()) == "backup-broken"
    assert keep_newest(folder, 1) == 0
    facts = json.loads((folder / "base" / f"{made.name}.json").read_text(encoding="utf-8"))
    assert facts["noted"] == {"position": 1}
    assert Path(settings.XINZHENG_KEYS).exists()
