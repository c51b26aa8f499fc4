"""Who did something, for the auditor (操作人): staff by name and role, people of the public masked."""

from collections.abc import Iterable

from xinzheng.apps.accounts.models import Account, ApiKey, Role
from xinzheng.core.identifiers import mask_name
from xinzheng.web.actors import people_in, platform_names

OTHERS = {"command-line": "命令行", "system": "系统", "public": "公众"}
OF_THE_PUBLIC = (Role.SUBJECT_AGENT, Role.RECEIVER)


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """The name of each actor, in three queries at most; the actor itself where there is none."""
    asked = set(actors)
    wanted = people_in(asked)
    names = {actor: OTHERS.get(actor, actor) for actor in wanted}
    accounts = Account.objects.filter(pk__in=_keys("account", wanted)).values_list("pk", "display_name", "role")
    for pk, name, role in accounts:
        shown = mask_name(name) if role in OF_THE_PUBLIC else name
        names[f"account:{pk}"] = f"{shown}（{Role(role).label}）"
    keys = ApiKey.objects.filter(pk__in=_keys("api-key", wanted)).values_list("pk", "name")
    names |= {f"api-key:{pk}": f"接口密钥“{name}”" for pk, name in keys}
    return names | platform_names(asked, names)


def _keys(kind: str, actors: Iterable[str]) -> list[int]:
    parts = (actor.partition(":") for actor in actors)
    return [int(key) for named, _, key in parts if named == kind and key.isdecimal() and len(key) < 19]
