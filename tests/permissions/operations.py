"""What the table of the platforms' operations is made of, and the platforms that call them."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from allauth.idp.oidc.models import Token
from django.utils import timezone

from tests.permissions.world import OURS, THEIRS, World
from tests.platform_callers import own_token, registered, token_for
from tests.small_city import uscc
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.platform_tokens import token_digest
from xinzheng.apps.accounts.platforms import MadePlatform, revoke_platform
from xinzheng.apps.codes.models import Notice, Receiver
from xinzheng.apps.codes.notice_events import REPORT_ENDED
from xinzheng.apps.codes.webhooks import Owner, register_webhook
from xinzheng.apps.reports.forms import application_form, told_of

ROOT = "/api/v1/platform/"
# A name that stands for nothing, by RFC 2606.
HOOK = "https://hooks.invalid/"
# Who acts for people, and for itself; the second is the other company's, or speaks for another body.
FOR_PEOPLE = ("on-behalf", "other-on-behalf")
FOR_PLATFORMS = ("client", "other-client")
# Let in by the guard, with nothing of either side.
STRANGER = "person-on-behalf"
TOKENS = (*FOR_PEOPLE, *FOR_PLATFORMS, STRANGER)
BAD_TOKENS = ("over-token", "revoked-platform", "closed-on-behalf", "refresh-token")
MAY_SEE: Mapping[str, tuple[str, ...]] = {
    "on-behalf": (OURS,),
    "other-on-behalf": (THEIRS,),
    "client": (OURS,),
    "other-client": (THEIRS,),
}


@dataclass(frozen=True)
class Operation:
    """An operation: who is let in to our own things and to the other side's, and by which things it is named."""

    method: str
    path: str
    who: tuple[str, str]
    things: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def address(self, things: Mapping[str, str]) -> str:
        """The address with these things in it."""
        return self.path.format(**{part: things[thing] for part, thing in self.things.items()})

    def asked(self, things: Mapping[str, str]) -> dict[str, str]:
        """What stands behind the question mark."""
        return {name: things[thing] for name, thing in self.query.items()}


def operation(
    method: str,
    path: str,
    who: tuple[str, str],
    *,
    query: Mapping[str, str] | None = None,
    body: str = "",
    **things: str,
) -> Operation:
    """A row; the parts of the address are given by name."""
    return Operation(method, ROOT + path, who, things, query or {}, body)


def table() -> dict[tuple[str, str], Operation]:
    """All rows, from ``OPERATIONS`` of ``rows_<letter>.py`` beside this file."""
    found: dict[tuple[str, str], Operation] = {}
    for path in sorted(Path(__file__).parent.glob("rows_*.py")):
        for one in getattr(importlib.import_module(f"tests.permissions.{path.stem}"), "OPERATIONS", ()):
            assert (one.method, one.path) not in found, f"{path.name}: {one.path} has a row already"
            found[one.method, one.path] = one
    return found


@dataclass(frozen=True)
class Platforms:
    """The tokens of each caller; for either side what operations are named by, and the bodies that are sent."""

    tokens: Mapping[str, str]
    ours: Mapping[str, str]
    theirs: Mapping[str, str]
    bodies: Mapping[str, Mapping[str, Mapping[str, object]]]


def build_platforms(world: World) -> Platforms:
    """Two platforms of two bodies, tokens of all kinds, a notice of either with its side's mark."""
    made = [_platform(serial, mark) for serial, mark in ((50, OURS), (51, THEIRS))]
    hooks = [_webhook(one) for one in made]
    gone = registered("停用的平台")
    agent = world.accounts["agent"]
    tokens = {
        "on-behalf": token_for(agent, made[0]),
        "other-on-behalf": token_for(world.accounts["other_agent"], made[0]),
        "person-on-behalf": token_for(world.accounts["person"], made[0]),
        "client": own_token(made[0]),
        "other-client": own_token(made[1]),
        "over-token": token_for(agent, made[0]),
        "closed-on-behalf": token_for(world.accounts["closed"], made[0]),
        "revoked-platform": own_token(gone),
        "refresh-token": token_for(agent, made[0]),
    }
    _spoil(tokens)
    revoke_platform(gone.platform.pk, by="test")
    ours, theirs = (
        {"subject": uscc(serial), "webhook_of_platform": hook} for serial, hook in zip((1, 2), hooks, strict=True)
    )
    bodies = {"ours": _bodies(agent, uscc(1)), "theirs": _bodies(world.accounts["other_agent"], uscc(2))}
    return Platforms(tokens, {**world.ours, **ours}, {**world.theirs, **theirs}, bodies)


def _platform(serial: int, mark: str) -> MadePlatform:
    """A platform of the body with this code, and notices that nobody else may read."""
    receiver = Receiver.objects.get(uscc=uscc(serial))
    made = registered(f"平台{serial}", receiver_id=receiver.pk)
    for number, client_id in enumerate(("", made.platform.pk)):
        to = None if client_id else receiver
        Notice.objects.create(
            event="e", source=f"g2:{serial}:{number}", receiver=to, client_id=client_id, body={"m": mark}
        )
    return made


def _webhook(made: MadePlatform) -> str:
    owner, address = Owner(made.platform.pk), HOOK + made.platform.pk
    return str(register_webhook(owner, address, [REPORT_ENDED], by="test").webhook.pk)


def _spoil(tokens: Mapping[str, str]) -> None:
    """One is over, one is no access token at all."""
    kept = Token.objects.filter(hash=token_digest(tokens["over-token"]))
    kept.update(expires_at=timezone.now() - timedelta(seconds=1))
    Token.objects.filter(hash=token_digest(tokens["refresh-token"])).update(type=Token.Type.REFRESH_TOKEN)


def _bodies(agent: Account, code: str) -> dict[str, Mapping[str, object]]:
    assert agent.subject_id is not None
    told = told_of(application_form("suzhou-2024", agent.subject_id))
    applying = {"subject": code, "policy": "suzhou-2024", "purpose": "listing", "exceptions_seen": told}
    hook = {"url": f"{HOOK}new", "events": [REPORT_ENDED]}
    return {"application": applying, "terms": {"purpose": "listing"}, "webhook": hook}
