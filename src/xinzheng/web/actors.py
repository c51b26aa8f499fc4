"""Who did something, in words: entries and audit events name accounts and keys by number only."""

from xinzheng.apps.accounts.models import Account, ApiKey, Platform

OTHERS = {"command-line": "命令行", "system": "系统"}


def actor_name(actor: str) -> str:
    """The account's or the key's name, or how else it was done."""
    kind, _, key = actor.partition(":")
    if kind == "account" and key.isdecimal():
        return Account.objects.filter(pk=int(key)).values_list("display_name", flat=True).first() or actor
    if kind == "api-key" and key.isdecimal():
        name = ApiKey.objects.filter(pk=int(key)).values_list("name", flat=True).first()
        return f"接口密钥“{name}”" if name else actor
    if kind == "client":
        # A platform: of its number, and of whom it acted for.
        name = Platform.objects.filter(pk=key.partition("/")[0]).values_list("name", flat=True).first()
        return f"接入平台“{name}”" if name else actor
    return OTHERS.get(actor, actor)
