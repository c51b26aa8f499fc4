"""Who did something, in words: entries and audit events name accounts and keys by number only."""

from collections.abc import Collection, Iterable, Mapping

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


def names_of(actors: Collection[str]) -> dict[str, str]:
    """As :func:`actor_name` for many: accounts in one query."""
    by_key = {actor.removeprefix("account:"): actor for actor in actors if actor.startswith("account:")}
    found = Account.objects.filter(pk__in=[key for key in by_key if key.isdecimal()]).values_list("pk", "display_name")
    named = {by_key[str(key)]: name for key, name in found}
    return named | {actor: actor_name(actor) for actor in actors if actor not in named}


def people_in(actors: Iterable[str]) -> set[str]:
    """The actors themselves, and those for whom platforms acted."""
    return {part for actor in actors for part in (actor, actor.partition("/")[2]) if part}


def platform_names(actors: Iterable[str], people: Mapping[str, str]) -> dict[str, str]:
    """Of those that are platforms the names, and for whom each acted, by the names of ``people``; in one query."""
    by_actor = {actor: actor.partition("/") for actor in actors if actor.startswith("client:")}
    if not by_actor:
        return {}
    keys = {client.removeprefix("client:") for client, _, _ in by_actor.values()}
    called = dict(Platform.objects.filter(pk__in=keys).values_list("pk", "name"))
    named = {}
    for actor, (client, _, person) in by_actor.items():
        name = called.get(client.removeprefix("client:"))
        if name is not None:
            named[actor] = f"接入平台“{name}”" + (f"代{people.get(person, person)}" if person else "")
    return named


def through_platforms(actor: str) -> tuple[str, ...]:
    """Under which names platforms act for an account; none for whoever is no account."""
    if not actor.startswith("account:"):
        return ()
    return tuple(f"client:{key}/{actor}" for key in Platform.objects.order_by("pk").values_list("pk", flat=True))
