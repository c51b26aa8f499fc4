"""What ``xinzheng signing status`` tells: keys, lists, stamps, and whether a report could be signed now."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from xinzheng.adapters.signing import (
    Keyring,
    PublishedKey,
    SigningUnavailableError,
    StampUnavailableError,
    known_crls,
    open_keyring,
    published_keys,
    stamper_of,
)
from xinzheng.cli.signing import KINDS, PURPOSES

DEMONSTRATION = "演示证书：签出的报告仅供演示，不得用于办事。"


def signing_status() -> dict[str, Any]:
    """The state of the keys, with nothing secret in it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xinzheng.config.settings")
    from django.conf import settings

    folder, now = settings.XINZHENG_KEYS / "signing", datetime.now(UTC)
    keyring = open_keyring(folder, Path(settings.XINZHENG_PKCS11) if settings.XINZHENG_PKCS11 else None)
    problem = _problem(keyring, now)
    return {
        "folder": str(folder),
        "generation": keyring.generation.number,
        "kind": "demo" if keyring.is_demonstration and keyring.generation.number == 0 else keyring.generation.kind,
        "ready": problem is None,
        "problem": problem,
        "signer": _signer(keyring),
        "stamps": _stamps(settings.XINZHENG_TSA, keyring),
        "host": settings.XINZHENG_HOST,
        "list_host": _list_host(keyring),
        "lists": [_list(crl, now) for crl in known_crls(folder)],
        "keys": [_key(key) for key in _published(folder)],
    }


def status_lines(status: dict[str, Any]) -> Iterator[str]:
    """The same in Chinese, a line a fact."""
    if not status["keys"]:
        yield f"密钥目录 {status['folder']} 中还没有密钥；出具第一份报告，或者运行 xinzheng signing rotate 时生成。"
        return
    yield f"密钥目录 {status['folder']}，第{status['generation']}代，{KINDS[status['kind']]}。"
    yield "可以签发。" if status["ready"] else f"不能签发：{status['problem']}"
    signer = status["signer"]
    if signer is not None:
        yield f"签名证书：{signer['name']}（{signer['algorithm']}），有效至{signer['until'][:10]}。"
        if signer["is_demonstration"]:
            yield DEMONSTRATION
    yield f"时间戳：{status['stamps']}。"
    if status["list_host"] not in (None, status["host"]):
        yield f"证书写明的吊销名单网址在 {status['list_host']}，与现在的网站 {status['host']} 不同；建议轮换一次。"
    for one in status["lists"]:
        yield f"吊销名单：{one['issuer']}，{one['revoked']}张已吊销，有效至{one['next_update'][:10]}" + (
            "，已经过期。" if one["is_stale"] else "。"
        )
    for key in status["keys"]:
        yield f"  {key['key_id']}  {PURPOSES[key['purpose']]}  自{key['from'][:10]}  {_state(key)}"


def _problem(keyring: Keyring, now: datetime) -> str | None:
    try:
        keyring.ready(now)
    except SigningUnavailableError as error:
        return error.message
    return None


def _signer(keyring: Keyring) -> dict[str, Any] | None:
    certificate = keyring.certificate
    if certificate is None:
        return None
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return {
        "name": str(names[0].value) if names else certificate.subject.rfc4514_string(),
        "algorithm": keyring.algorithm,
        "until": certificate.not_valid_after_utc.isoformat(),
        "is_demonstration": keyring.is_demonstration,
    }


def _stamps(setting: str, keyring: Keyring) -> str:
    try:
        stamper = stamper_of(setting, keyring)
    except StampUnavailableError as error:
        return error.message.rstrip("。")
    return "没有" if stamper is None else stamper.authority


def _list_host(keyring: Keyring) -> str | None:
    try:
        return keyring.authority.host if keyring.authority else None
    except SigningUnavailableError:
        return None


def _published(folder: Path) -> tuple[PublishedKey, ...]:
    try:
        return published_keys(folder)
    except SigningUnavailableError:
        return ()


def _list(der: bytes, now: datetime) -> dict[str, Any]:
    crl = x509.load_der_x509_crl(der)
    names = crl.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    due = crl.next_update_utc
    return {
        "issuer": str(names[0].value) if names else crl.issuer.rfc4514_string(),
        "revoked": len(crl),
        "next_update": due.isoformat() if due else "",
        "is_stale": due is not None and due <= now,
    }


def _key(key: PublishedKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "purpose": key.purpose,
        "from": key.from_at.isoformat(),
        "until": key.until_at and key.until_at.isoformat(),
        "compromised": key.compromised_at and key.compromised_at.isoformat(),
        "reason": key.reason,
    }


def _state(key: dict[str, Any]) -> str:
    if key["compromised"]:
        return f"{key['compromised'][:10]}起可能泄露，不再信任其后的签名"
    return f"用到{key['until'][:10]}" if key["until"] else "正在使用"
