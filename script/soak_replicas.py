"""Parts ``failover`` and ``restore`` of script/soak: applications go on, and none that was answered is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from script.soak_runs import CITY, ROOT, Wanted, command, done, environment_of, in_city, must

from xinzheng.adapters.postgres_embedded import ConnectionInfo, connection_info, replicas_of, server_state, stop
from xinzheng.adapters.postgres_embedded.layout import prepare_layout

WRITERS = 4
ISSUED = 40
PATIENCE_SECONDS = 60.0
REPLICA, FORMER = "second", "first"
# The key of an application that was acknowledged, and when.
Told = tuple[str, float]


def failover(home: Path, wanted: Wanted) -> None:
    """Kill the primary with -9 while applications come in; promote the replica; count what was acknowledged."""
    first, second = home / "first", home / "second"
    try:
        make_city(first, wanted)
        done(first, "replica", "make", str(second), "--name", REPLICA)
        done(first, "replica", "wait", REPLICA)
        wait_until(lambda: any(one.is_synchronous for one in replicas_of(first)), "备库没有同步")
        before, after = killed_under_load(first, second, 5 if wanted.is_short else 60)
        kept = home / "acknowledged"
        kept.write_text("".join(f"{key} {at}\n" for key, at in before + after))
        counted = in_city(second, "count", str(kept), XINZHENG_KEYS=str(first / "keys"))
        print(f"  新主库里 {counted['there']:,} 件", flush=True)
        must(counted["there"] == counted["asked"] == len(before) + len(after), "答复过的申请在新主库里不全")
        issue_some(home, second, before, first / "keys")
        done(second, "replica", "rejoin", str(first), "--of", str(second), "--name", FORMER)
        wait_until(lambda: any(one.state == "streaming" for one in replicas_of(second)), "原主库没有跟上")
        state = server_state(first)
        must(state is not None and state.is_replica, "原主库没有成为备库")
        print("  原主库已作为备库重新加入", flush=True)
    finally:
        for each in (second, first):
            stop(each)


def killed_under_load(first: Path, second: Path, seconds: int) -> tuple[list[Told], list[Told]]:
    """What was acknowledged before the primary was killed, and afterwards by the replica that took its place."""
    either = {
        "XINZHENG_DATABASE_URL": both(connection_info(first), connection_info(second)),
        "XINZHENG_KEYS": str(first / "keys"),
    }
    with writing(first, **either) as files:
        time.sleep(seconds)
        number = int((prepare_layout(first).data / "postmaster.pid").read_text().split()[0])
        os.kill(number, signal.SIGKILL)
        killed = time.time()
        done(first, "replica", "promote", str(second))
        promoted = time.time()
        time.sleep(seconds)
    before, after = split(files, killed)
    must(len(before) > 0 and len(after) > 0, "杀主库之前、之后都应有答复了的申请")
    moments = sorted(at for at in (*(at for _, at in before), *(at for _, at in after)) if at > killed - 1)
    # Some answers of the dead primary are only noted after its end: the longest silence is what people wait.
    gap = max(later - earlier for earlier, later in pairwise(moments))
    print(
        f"  主库被杀前答复 {len(before):,} 件，之后答复 {len(after):,} 件；提升用 {promoted - killed:.1f} 秒，"
        f"最长 {gap:.1f} 秒没有答复",
        flush=True,
    )
    return before, after


def restore(home: Path, wanted: Wanted) -> None:
    """Back up while applications come in; restore to a named point and to the end of the archive, and count."""
    first = home / "first"
    # The user that runs the database has to get through to the backups.
    home.chmod(0o711)
    try:
        make_city(first, wanted, **backups_of(home))
        files, at_the_point = backed_up_under_load(home, 3 if wanted.is_short else 30)
        acknowledged = [key for key, _ in answered(files)]
        checked = wait_for_archive(first, backups_of(home))
        print(f"  归档 {checked} 段；答复过的申请 {len(acknowledged):,} 件", flush=True)
        restored(home, "point", at_the_point, "--point", "quiet")
        restored(home, "end", in_city(first, "totals")["applications"])
        kept = home / "acknowledged"
        kept.write_text("".join(f"{key}\n" for key in acknowledged))
        counted = in_city(home / "end", "count", str(kept), XINZHENG_KEYS=str(first / "keys"))
        must(counted["there"] == len(set(acknowledged)), "答复过的申请恢复后不全")
    finally:
        for each in (first, home / "point", home / "end"):
            stop(each)


def backups_of(home: Path) -> dict[str, str]:
    """The setting that has them made."""
    return {"XINZHENG_BACKUP": str(home / "backups")}


def backed_up_under_load(home: Path, seconds: int) -> tuple[list[Path], int]:
    """A backup amid applications, a named point after them, and more of them; how many there were at the point."""
    first, backup = home / "first", backups_of(home)
    with writing(first) as files:
        time.sleep(seconds)
        made = done(first, "backup", "make", "--json", **backup)
        time.sleep(seconds)
    print(f"  备份 {made['size'] >> 20} MiB", flush=True)
    count = in_city(first, "totals")["applications"]
    done(first, "backup", "point", "quiet", **backup)
    with writing(first) as more:
        time.sleep(seconds)
    done(first, "backup", "point", "the_end", **backup)
    return [*files, *more], count


def restored(home: Path, name: str, count: int, *target: str) -> None:
    """Restore into a home of this name; as many applications are there, and everything is computed again."""
    begun = time.monotonic()
    done(home / "first", "backup", "restore", "--to", str(home / name), *target, **backups_of(home))
    took = time.monotonic() - begun
    verified(home / name, home / "first" / "keys", count)
    where = "恢复点" if target else "归档末尾"
    print(f"  恢复到{where}：{took:.1f} 秒，{count:,} 件，复算和核查都通过", flush=True)


def make_city(home: Path, wanted: Wanted, **more: str) -> None:
    """A demonstration city with agents and some reports."""
    home.mkdir()
    subjects = wanted.size(2_000, 200)
    done(home, "demo", "city", "--subjects", str(subjects), **more)
    reports = 8 if wanted.is_short else ISSUED
    in_city(home, "prepare", str(home / "facts.json"), str(WRITERS), str(reports))
    print(f"  {CITY}：{subjects:,} 个主体，已出具 {reports} 份报告", flush=True)


def both(*servers: ConnectionInfo) -> str:
    """The address under which whichever server takes writes is found."""
    hosts = ",".join(quote(one.host, safe="") for one in servers)
    ports = ",".join(str(one.port) for one in servers)
    one = servers[0]
    return f"postgresql://{one.user}@/{one.dbname}?host={hosts}&port={ports}&target_session_attrs=read-write&connect_timeout=5"


@contextmanager
def writing(home: Path, **more: str) -> Iterator[list[Path]]:
    """Several processes that apply without a break; the files in which they note what was acknowledged."""
    stamp = time.monotonic_ns()
    files = [home / f"acknowledged-{stamp}-{number}" for number in range(WRITERS)]
    program = [sys.executable, "-W", "ignore", str(ROOT / "script" / "soak_city.py"), "write"]
    processes = [
        subprocess.Popen([*program, str(file), str(number)], env=environment_of(home, **more))
        for number, file in enumerate(files)
    ]
    try:
        wait_until(lambda: all(file.exists() and file.stat().st_size for file in files), "没有申请被答复")
        yield files
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    must(all(process.returncode == 0 for process in processes), "有写入的进程出错")


def answered(files: Sequence[Path]) -> list[Told]:
    """Key and moment of what was acknowledged; a line broken off was not."""
    lines = [line for file in files for line in file.read_text().split("\n")[:-1]]
    return [(key, float(at)) for key, at in map(str.split, lines)]


def split(files: Sequence[Path], moment: float) -> tuple[list[Told], list[Told]]:
    """What was acknowledged before a moment, and after."""
    found = answered(files)
    return [one for one in found if one[1] <= moment], [one for one in found if one[1] > moment]


def issue_some(home: Path, primary: Path, applications: Sequence[Told], keys: Path) -> None:
    """Reports on applications that the dead primary had taken, issued and checked on the new one."""
    some = home / "some"
    some.write_text("".join(f"{key}\n" for key, _ in applications[:5]))
    in_city(primary, "fulfil", str(some), XINZHENG_KEYS=str(keys))
    counted = in_city(primary, "count", str(some), XINZHENG_KEYS=str(keys))
    must(counted["reports"] == counted["asked"], "新主库没有出具原主库收下的申请")
    verified(primary, keys, None)
    print(f"  在新主库出具了 {counted['reports']} 份，日志和审计核查通过", flush=True)


def verified(home: Path, keys: Path, applications: int | None) -> None:
    """The log, the trail and a report's decision, computed again; how many applications there are."""
    own = {"XINZHENG_KEYS": str(keys)}
    for what in ("log", "audit"):
        ran = command(home, what, "verify", **own)
        must(ran.code == 0, f"{what} verify 没有通过：{ran.printed[-500:]}")
    facts = next(path for path in (home / "facts.json", keys.parent / "facts.json") if path.exists())
    numbers = json.loads(facts.read_text())["numbers"]
    for number in numbers[:3]:
        must(command(home, "report", "replay", number, **own).code == 0, f"报告 {number} 复算不一致")
    if applications is not None:
        found = in_city(home, "totals", **own)["applications"]
        must(found == applications, f"恢复出 {found:,} 件申请，应为 {applications:,} 件")


def wait_for_archive(home: Path, backup: dict[str, str]) -> int:
    """Until the segment with the last named point is in the archive; how many segments there are."""
    wait_until(lambda: not (state := server_state(home)) or state.failed_segment is None, "归档失败")
    folder = Path(backup["XINZHENG_BACKUP"]) / "wal"
    waiting = prepare_layout(home).data / "pg_wal" / "archive_status"
    wait_until(lambda: not list(waiting.glob("*.ready")), "预写日志没有归档")
    done(home, "backup", "check", **backup)
    return len(list(folder.glob("*.gz")))


def wait_until(holds: Callable[[], bool], otherwise: str) -> None:
    """Look again until it holds."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        must(time.monotonic() < until, otherwise)
        time.sleep(0.1)
