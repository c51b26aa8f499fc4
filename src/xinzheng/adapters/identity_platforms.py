"""Read the file that names the identity platforms (身份认证平台配置), in TOML; mistakes name entry and key."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from xinzheng.core.identity_platforms import ClaimNames, IdentityPlatform, PlatformError

ID = re.compile(r"[a-z][a-z0-9-]{0,30}")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TEXTS = ("id", "name", "server", "client_id")
KEYS = {*TEXTS, "secret", "secret_file", "scopes", "vouches_for_identity", "origins", "claims"}
CLAIMS = {field.name for field in fields(ClaimNames)}


def read_platforms(path: Path) -> tuple[IdentityPlatform, ...]:
    """The platforms in the order of the file.

    Raises:
        PlatformError: the file is missing, is no TOML, or says something that cannot be used.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PlatformError(f"身份认证平台配置文件 {path} 无法读取：{error}") from error
    entries = document.pop("platform", [])
    if document or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PlatformError(f"{path} 只能有 [[platform]] 各节，每个平台一节。")
    found = tuple(_platform(entry, path) for entry in entries)
    if len({platform.id for platform in found}) != len(found):
        raise PlatformError(f"{path} 中有两个平台的 id 相同。")
    return found


def _platform(entry: Mapping[str, Any], path: Path) -> IdentityPlatform:
    where = f"{path} 平台“{entry.get('id', '')}”"
    _only(entry, KEYS, where)
    missing = [key for key in TEXTS if not isinstance(entry.get(key), str) or not entry[key]]
    if missing:
        raise PlatformError(f"{where}缺少{'、'.join(missing)}，应为文字。")
    if not ID.fullmatch(entry["id"]):
        raise PlatformError(f"{where}的 id 只能用小写字母、数字和连字符，以字母开头。")
    server = entry["server"].rstrip("/")
    origins = tuple(_address(address, where) for address in entry.get("origins", []))
    return IdentityPlatform(
        id=entry["id"],
        name=entry["name"],
        server=_address(server, where),
        client_id=entry["client_id"],
        secret=_secret(entry, path, where),
        scopes=tuple(dict.fromkeys(["openid", *entry.get("scopes", [])])),
        vouches_for_identity=entry.get("vouches_for_identity", False) is True,
        origins=(server, *origins),
        claims=_claims(entry.get("claims", {}), where),
    )


def _address(address: str, where: str) -> str:
    parts = urlsplit(address)
    is_here = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (parts.hostname and (parts.scheme == "https" or is_here)):
        raise PlatformError(f"{where}的地址应以 https:// 开头，现为“{address}”。")
    return address


def _secret(entry: Mapping[str, Any], path: Path, where: str) -> str:
    if ("secret" in entry) == ("secret_file" in entry):
        raise PlatformError(f"{where}应有 secret_file（存放密钥的文件）或者 secret，二者只能有一个。")
    if "secret" in entry:
        return str(entry["secret"])
    try:
        return (path.parent / str(entry["secret_file"])).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise PlatformError(f"{where}的 secret_file 无法读取：{error}") from error


def _claims(given: Mapping[str, Any], where: str) -> ClaimNames:
    _only(given, CLAIMS, f"{where}的 claims ")
    accepted = given.get("verified_is", [True])
    texts = {key: str(value) for key, value in given.items() if key != "verified_is"}
    return ClaimNames(**texts, verified_is=tuple(accepted if isinstance(accepted, list) else [accepted]))


def _only(given: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise PlatformError(f"{where}有不认识的项：{'、'.join(unknown)}。")
