"""Health of keys (密钥): the files outside the database, the signing certificate, the time stamps."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from django.conf import settings

from xinzheng.apps.audit.ports import transparency
from xinzheng.apps.oversight.health_words import Check, State, bad, spoken_span, warning, well
from xinzheng.apps.registry.keys import HOLDERS, KEY_ENCRYPTION, NUMBER_HASH, has_rows, key_in
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.stamping import waiting_for_stamp
from xinzheng.core.errors import XinzhengError

RENEW_BEFORE = timedelta(days=60)
RESTORE = "请从备份恢复密钥文件夹；没有它，已加密的姓名、号码和原始文件都读不出。"
ROTATE = "请轮换：xinzheng signing rotate。"
STAMP_LATE = timedelta(hours=1)


def keys(now: datetime) -> Check:  # noqa: ARG001  every check is asked alike
    """Whether the files that open what is encrypted are there and readable, by nobody else."""
    folder = Path(settings.XINZHENG_KEYS)
    absent, open_to_others = [], []
    for name in (KEY_ENCRYPTION, NUMBER_HASH):
        path = folder / name
        try:
            key_in(path)
        except FileNotFoundError:
            absent.append(name)
            continue
        except XinzhengError as error:
            return bad("keys", error.message, RESTORE)
        except OSError as error:
            return bad("keys", f"密钥文件 {path} 读不出（{error.strerror}）。", "请检查文件的所有者和权限（0600）。")
        if path.stat().st_mode & 0o077:
            open_to_others.append(str(path))
    needed = [name for name in absent if _is_needed(name)]
    if needed:
        return bad("keys", f"{folder} 中没有 {'、'.join(needed)}，而数据库里已有用它加密的数据。", RESTORE)
    if open_to_others:
        return warning(
            "keys", f"别的用户也能读 {'、'.join(open_to_others)}。", f"请运行 chmod 600 {open_to_others[0]}。"
        )
    return _log_key(folder / "log", absent)


def _is_needed(name: str) -> bool:
    return any(map(has_rows, ("registry_personidentity", *(HOLDERS if name == KEY_ENCRYPTION else ()))))


def _log_key(folder: Path, absent: list[str]) -> Check:
    try:
        has_log = transparency().published_log_key(folder) is not None
    except XinzhengError as error:
        return bad("keys", error.message, "请从备份恢复密钥文件夹。")
    if absent or not has_log:
        return well("keys", "没有缺少；还没有用过的密钥，首次用到时生成。")
    return well("keys", "加密、检索和日志的密钥都能读取。")


def certificate(now: datetime) -> Check:
    """Whether a report could be signed now, and how long the certificate still holds."""
    if not (Path(settings.XINZHENG_KEYS) / "signing").exists():
        return well("certificate", "还没有签名密钥，出具第一份报告时生成。")
    try:
        keyring = ports.keyring()
        keyring.ready(now)
    except XinzhengError as error:
        return bad("certificate", f"现在不能签发：{error.message}", ROTATE)
    until = expiry()
    left = until - now if until else timedelta.max
    said = f"有效至{until:%Y-%m-%d}，还有{spoken_span(left)}。" if until else "有效。"
    if left < RENEW_BEFORE:
        return warning("certificate", said, f"到期后不能出具报告。{ROTATE}")
    stale = _stale_lists(now)
    if stale:
        said = f"{said}吊销名单已过期：{'、'.join(stale)}。"
        return warning("certificate", said, "请检查本机能否访问证书写明的吊销名单网址。")
    if keyring.is_demonstration and not settings.XINZHENG_DEMONSTRATION:
        return warning(
            "certificate", f"{said}是演示证书。", "正式运行请换用自有证书：xinzheng signing rotate --p12 …。"
        )
    return well("certificate", said)


def expiry() -> datetime | None:
    """When the signing certificate ends; None while there is none that can be read."""
    certificate_in_use = ports.keyring().certificate
    return None if certificate_in_use is None else certificate_in_use.not_valid_after_utc


def _stale_lists(now: datetime) -> list[str]:
    """Whose list of revoked certificates is over."""
    found = []
    for der in ports.signing().known_crls(Path(settings.XINZHENG_KEYS) / "signing"):
        crl = x509.load_der_x509_crl(der)
        if crl.next_update_utc is not None and crl.next_update_utc <= now.astimezone(UTC):
            names = crl.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            found.append(str(names[0].value) if names else crl.issuer.rfc4514_string())
    return found


def time_stamp(now: datetime) -> Check:
    """Whether somebody stamps signatures with the time, and whether reports wait for it; nobody is asked for one."""
    if not settings.XINZHENG_TSA:
        said = "没有设置时间戳机构（XINZHENG_TSA）：签名时间只有本系统的时钟和透明日志证明。"
        return well("time-stamp", said) if settings.XINZHENG_DEMONSTRATION else warning("time-stamp", said, "请设置。")
    try:
        stamper = ports.stamper()
    except XinzhengError as error:
        return bad("time-stamp", error.message, "请核对 XINZHENG_TSA 和密钥目录中的根证书。")
    waiting = waiting_for_stamp()
    oldest = waiting.values_list("at", flat=True).first()
    if oldest is None and stamper is None and (Path(settings.XINZHENG_KEYS) / "signing").exists():
        said = "XINZHENG_TSA=demo 只对演示证书有效，现在用的是自有证书，没有人加盖时间戳。"
        return warning("time-stamp", said, "请把 XINZHENG_TSA 设为时间戳机构的网址。")
    if oldest is None:
        return well("time-stamp", f"{stamper.authority if stamper else '演示机构，出具第一份报告时生成'}。")
    count, age = waiting.count(), now - oldest
    said = f"有{count}份报告等着加盖时间戳，最久的等了{spoken_span(age)}。"
    to_do = "系统会自动补盖；长时间不消退的，请检查与时间戳机构的连接。"
    return Check("time-stamp", State.WARNING if age > STAMP_LATE else State.OK, said, to_do if age > STAMP_LATE else "")
