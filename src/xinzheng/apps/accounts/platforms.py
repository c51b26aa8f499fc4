"""Register platforms (接入平台) that act through the interface, for themselves or for the people who let them."""

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from allauth.idp.oidc.models import Client, Token
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import Platform
from xinzheng.apps.accounts.platform_secrets import RandomSecretHasher, new_secret
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.privacy import IDENTITY_NUMBER, PHONE
from xinzheng.core.errors import XinzhengError

# What a platform may do for a person who lets it, in the words the person reads.
ON_BEHALF: Mapping[str, str] = {
    "reports:apply": "申请专用信用报告",
    "reports:read": "查看、下载报告",
    "codes": "亮码、收回亮码",
    "views": "查看谁看过报告",
}
# What a platform does for itself.
OWN: Mapping[str, str] = {
    "verify": "核验报告",
    "webhooks": "设置回调地址",
    "notices": "取本单位订阅的通知",
}
SCOPES: Mapping[str, str] = {**ON_BEHALF, **OWN}
# A number for the person, other for each platform; nothing else about them.
OPENID = "openid"
NAME_AT_MOST = 100
ADDRESS_AT_MOST = 500
ADDRESSES_AT_MOST = 10
MOST_PER_MINUTE = 100_000
LOOPBACK = ("127.0.0.1", "localhost")
ADDRESS = re.compile(r"[!-~]+")


class PlatformError(XinzhengError):
    """A platform is not registered or not changed."""

    code = "platform-refused"


@dataclass(frozen=True)
class NewPlatform:
    """What a platform is registered with; ``redirect_uris`` only where it shall act for people."""

    name: str
    scopes: Collection[str]
    redirect_uris: Sequence[str] = ()
    per_minute: int = 600
    receiver_id: int | None = None


@dataclass(frozen=True)
class MadePlatform:
    """A platform just registered, or with a new secret. ``secret`` is shown this once and kept nowhere."""

    platform: Platform
    secret: str


@transaction.atomic
def register_platform(new: NewPlatform, *, by: str) -> MadePlatform:
    """Register a platform (登记平台) and make its secret.

    Raises:
        PlatformError: ``platform-name-unfit``, ``platform-name-taken``, ``platform-scopes-unfit``,
            ``redirect-address-unfit`` or ``platform-limit-unfit``.
    """
    name = _fit_name(new.name)
    _check_scopes(new)
    _check_limit(new.per_minute)
    secret, client_id = new_secret(), uuid.uuid4().hex
    platform = Platform.objects.create(
        client_id=client_id, name=name, receiver_id=new.receiver_id, per_minute=new.per_minute, created_by=by
    )
    client = Client(id=client_id, name=name, secret=_hashed(secret))
    _set_scopes(client, new.scopes)
    _set_addresses(client, new.redirect_uris)
    client.save(force_insert=True)
    details = {"scopes": sorted(new.scopes), "per_minute": new.per_minute, "redirect_uris": client.get_redirect_uris()}
    _record(platform.pk, "platform-registered", by, details)
    return MadePlatform(platform, secret)


@transaction.atomic
def rotate_platform_secret(client_id: str, *, by: str) -> MadePlatform:
    """Make a new secret (更换密钥): the former one gets no token any more; tokens that are out go on until they end.

    Raises:
        PlatformError: ``unknown-platform`` or ``platform-revoked-already``.
    """
    platform = _in_use(client_id)
    secret = new_secret()
    Client.objects.filter(pk=client_id).update(secret=_hashed(secret))
    _record(platform.pk, "platform-secret-rotated", by)
    return MadePlatform(platform, secret)


@transaction.atomic
def change_platform(client_id: str, *, redirect_uris: Sequence[str], per_minute: int, by: str) -> Platform:
    """Change where people are sent back to, and how often the platform may ask in a minute.

    Raises:
        PlatformError: ``unknown-platform``, ``platform-revoked-already``, ``redirect-address-unfit`` or
            ``platform-limit-unfit``.
    """
    platform = _in_use(client_id)
    _check_limit(per_minute)
    client = Client.objects.get(pk=client_id)
    if not redirect_uris and set(client.get_scopes()) & set(ON_BEHALF):
        raise PlatformError("代办理的平台须有回跳地址。", code="redirect-address-unfit")
    _set_addresses(client, redirect_uris)
    client.save()
    platform.per_minute = per_minute
    platform.save(update_fields=["per_minute"])
    _record(
        platform.pk, "platform-changed", by, {"per_minute": per_minute, "redirect_uris": client.get_redirect_uris()}
    )
    return platform


def platforms_known() -> list[Platform]:
    """All platforms, those in use first, then by name."""
    return sorted(Platform.objects.all(), key=lambda one: (one.revoked_at is not None, one.name, one.pk))


def platform_named(client_id: str) -> Platform:
    """The platform of this id, in use or not. Raises PlatformError ``unknown-platform``."""
    found = Platform.objects.filter(pk=client_id).first() if "\0" not in client_id else None
    if found is None:
        raise PlatformError("没有这个接入平台，请用 xinzheng platforms list 核对。", code="unknown-platform")
    return found


def client_of(platform: Platform) -> Client:
    """What the token office knows of a platform: its scopes and the addresses people are sent back to."""
    return Client.objects.get(pk=platform.pk)


@transaction.atomic
def revoke_platform(client_id: str, *, by: str) -> Platform:
    """Revoke a platform (停用平台): its secret and all its tokens open nothing any more; what came of them stays.

    Raises:
        PlatformError: ``unknown-platform`` or ``platform-revoked-already``.
    """
    platform = _in_use(client_id)
    platform.revoked_at = timezone.now()
    platform.save(update_fields=["revoked_at"])
    Client.objects.filter(pk=client_id).update(secret=make_password(None), grant_types="", redirect_uris="")
    tokens, _ = Token.objects.filter(client_id=client_id).delete()
    _record(platform.pk, "platform-revoked", by, {"tokens": tokens})
    return platform


def _in_use(client_id: str) -> Platform:
    found = Platform.objects.select_for_update().get(pk=platform_named(client_id).pk)
    if found.revoked_at is not None:
        raise PlatformError(f"“{found.name}”已经停用，不能更改；需要时请重新登记。", code="platform-revoked-already")
    return found


def _fit_name(name: str) -> str:
    called = name.strip()
    is_personal = IDENTITY_NUMBER.search(called) or PHONE.search(called)
    if not called or len(called) > NAME_AT_MOST or not called.isprintable() or is_personal:
        said = f"平台须有名称，不超过{NAME_AT_MOST}个字，不含控制字符、身份号码和手机号码。"
        raise PlatformError(said, code="platform-name-unfit")
    if Platform.objects.filter(name=called, revoked_at__isnull=True).exists():
        raise PlatformError(f"已有名为“{called}”的平台在用，请换一个名称。", code="platform-name-taken")
    return called


def _check_scopes(new: NewPlatform) -> None:
    if not new.scopes or not set(new.scopes) <= set(SCOPES):
        raise PlatformError(f"请选择权限范围，可选的有：{'、'.join(SCOPES)}。", code="platform-scopes-unfit")
    if bool(set(new.scopes) & set(ON_BEHALF)) != bool(new.redirect_uris):
        said = "代办理的权限须填写回跳地址；只为自己办理的平台不填回跳地址。"
        raise PlatformError(said, code="redirect-address-unfit")


def _check_limit(per_minute: int) -> None:
    if not 1 <= per_minute <= MOST_PER_MINUTE:
        raise PlatformError(f"每分钟次数应在1至{MOST_PER_MINUTE}之间。", code="platform-limit-unfit")


def _set_scopes(client: Client, scopes: Collection[str]) -> None:
    is_on_behalf = bool(set(scopes) & set(ON_BEHALF))
    client.set_scopes([scope for scope in SCOPES if scope in scopes] + ([OPENID] if is_on_behalf else []))
    client.set_default_scopes([scope for scope in OWN if scope in scopes])
    own = [Client.GrantType.CLIENT_CREDENTIALS] if set(scopes) & set(OWN) else []
    others = [Client.GrantType.AUTHORIZATION_CODE, Client.GrantType.REFRESH_TOKEN] if is_on_behalf else []
    client.set_grant_types([str(grant) for grant in [*own, *others]])


def _set_addresses(client: Client, addresses: Sequence[str]) -> None:
    if len(addresses) > ADDRESSES_AT_MOST or not all(_is_fit_address(address) for address in addresses):
        said = (
            f"回跳地址应为完整的 https 地址，不带“#”“*”、用户名和个人的号码，每个不超过{ADDRESS_AT_MOST}个字符，"
            f"至多{ADDRESSES_AT_MOST}个。"
        )
        raise PlatformError(said, code="redirect-address-unfit")
    client.set_redirect_uris(list(dict.fromkeys(addresses)))


def _is_fit_address(address: str) -> bool:
    if len(address) > ADDRESS_AT_MOST or not ADDRESS.fullmatch(address) or set("#*\\'\",;<>") & set(address):
        return False
    if IDENTITY_NUMBER.search(address) or PHONE.search(address):
        return False
    try:
        parts = urlsplit(address)
        port_is_number = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_ours = settings.XINZHENG_DEMONSTRATION and parts.scheme == "http" and parts.hostname in LOOPBACK
    return port_is_number and bool(parts.hostname) and "@" not in parts.netloc and (parts.scheme == "https" or is_ours)


def _hashed(secret: str) -> str:
    return make_password(secret, hasher=RandomSecretHasher.algorithm)


def _record(client_id: str, action: str, by: str, details: Mapping[str, Any] | None = None) -> None:
    record_event(who=by, action=action, object_kind="platform", object_id=client_id, details=details)
