"""Policies and calendars in use, and as they were when a report was decided.

A policy goes by the pack that was published for the day, else by the one that was shipped (ADR 0031).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from xinzheng.apps.reports import ports
from xinzheng.apps.reports.models import StoredInput
from xinzheng.apps.reports.pack_queries import recorded
from xinzheng.core.decision import china_date
from xinzheng.core.errors import PolicyError, RefusedError
from xinzheng.core.policy import Extension, Policy
from xinzheng.core.report import Issuer
from xinzheng.core.workdays import Calendar, calendar_from_mapping


@dataclass(frozen=True, slots=True)
class Setting:
    """What a deployment adds to a policy (部署): who issues, and the extensions recorded."""

    issuer: Issuer
    extensions: tuple[Extension, ...]

    def as_mapping(self) -> dict[str, Any]:
        """Plain values, kept with each report for replaying it."""
        return {
            "seal_name": self.issuer.seal_name,
            "channel": self.issuer.channel,
            "host": self.issuer.host,
            "demonstration": self.issuer.is_demonstration,
            "extensions": [
                {"document": e.document, "until": e.until_date.isoformat(), "note": e.note} for e in self.extensions
            ],
        }


def setting_from_mapping(value: Mapping[str, Any]) -> Setting:
    """The setting that ``Setting.as_mapping`` wrote."""
    extensions = tuple(Extension(e["document"], date.fromisoformat(e["until"]), e["note"]) for e in value["extensions"])
    issuer = Issuer(value["seal_name"], value["channel"], value["host"], value["demonstration"])
    return Setting(issuer, extensions)


@dataclass(frozen=True, slots=True)
class InForce:
    """The pack that a policy goes by on a day (施行中的政策包), extensions included.

    ``from_date`` is the first day it holds, ``document`` the paper that ordered it; ``entry`` is its publication, None
    where it is the one shipped.
    """

    policy: Policy
    sha256: str
    from_date: date | None
    document: str
    entry: int | None


def current_policy(policy_id: str, day: date | None = None) -> Policy:
    """The policy as it is on the day (in China, default today). Raises RefusedError ``unknown-policy``."""
    return in_force(policy_id, day).policy


def in_force(policy_id: str, day: date | None = None) -> InForce:
    """The pack a policy goes by on the day (in China, default today): one published for it beats the one shipped.

    A day before the pack's own first day gives the pack all the same: deciding says that it is not in force yet.
    Raises RefusedError ``unknown-policy``.
    """
    held, asked = recorded(), day or today()
    extensions = extensions_of(policy_id)
    published = held.publication_on(policy_id, asked)
    if published is None:
        policy = _extended(_shipped(policy_id), extensions)
        return InForce(policy, policy.sha256, policy.in_effect.from_date, policy.document, None)
    policy = _extended(stored_policy(bytes.fromhex(published.sha256)), extensions)
    return InForce(policy, published.sha256, published.from_date, published.document, published.entry)


def jurisdiction_of(policy_id: str) -> str:
    """The place of a policy, the same in each of its packs. Raises RefusedError ``unknown-policy``."""
    if policy_id in _shipped_ids():
        return _shipped(policy_id).jurisdiction
    return current_policy(policy_id).jurisdiction


def policy_ids(day: date | None = None) -> tuple[str, ...]:
    """Every policy that has a pack on the day (in China, default today), shipped or published, sorted."""
    held, asked = recorded(), day or today()
    published = {policy_id for policy_id in held.publications if held.publication_on(policy_id, asked)}
    return tuple(sorted({*_shipped_ids(), *published}))


def today() -> date:
    """The day it is in China, by the clock of the settings."""
    return china_date(import_string(settings.XINZHENG_CLOCK)())


@lru_cache(maxsize=1)
def _shipped_ids() -> tuple[str, ...]:
    return tuple(ports.policy_files().list_policies())


@lru_cache(maxsize=32)
def _shipped(policy_id: str) -> Policy:
    """The policy as shipped, read once a process. Raises RefusedError ``unknown-policy``."""
    known = _shipped_ids()
    if policy_id not in known:
        raise RefusedError(f"没有“{policy_id}”这项政策；现有：{'、'.join(known)}。", code="unknown-policy")
    policy: Policy = ports.policy_files().load_pack_bytes(_pack(policy_id))
    return policy


def shipped_digest(policy_id: str) -> str | None:
    """The digest of the pack that was shipped, None where none was."""
    return _shipped(policy_id).sha256 if policy_id in _shipped_ids() else None


def _extended(policy: Policy, extensions: tuple[Extension, ...]) -> Policy:
    return replace(policy, extensions=extensions) if extensions else policy


def _merged(*several: tuple[Extension, ...]) -> tuple[Extension, ...]:
    """Those of the deployment's file, then those recorded here; of one document the longer."""
    found: dict[str, Extension] = {}
    for extension in (one for extensions in several for one in extensions):
        known = found.get(extension.document)
        if known is None or known.until_date < extension.until_date:
            found[extension.document] = extension
    return tuple(found.values())


def extensions_of(policy_id: str) -> tuple[Extension, ...]:
    """Every document known to prolong the policy: those of the deployment's file and those recorded here."""
    return _merged(_deployed_extensions(policy_id), recorded().extensions.get(policy_id, ()))


def _deployed_extensions(policy_id: str) -> tuple[Extension, ...]:
    deployment = _deployment(policy_id)
    return () if deployment is None else tuple(deployment.extensions)


@lru_cache(maxsize=32)
def _pack(policy_id: str) -> Mapping[str, bytes]:
    """The shipped pack's files, read once, so that what is stored is what was decided by."""
    files: Mapping[str, bytes] = ports.policy_files().pack_bytes(policy_id)
    return files


@lru_cache(maxsize=32)
def _deployment(policy_id: str) -> Any:
    """The deployment that runs the policy, or None."""
    files = ports.deployment_files()
    everything = (files.load_deployment(city) for city in files.available_cities())
    return next((d for d in everything if d.policy_id == policy_id), None)


def current_setting(policy_id: str) -> Setting:
    """Who issues, and every extension there is. Raises RefusedError ``deployment-unknown``."""
    issuer = issuer_of(policy_id)
    return Setting(issuer, extensions_of(policy_id))


def issuer_of(policy_id: str) -> Issuer:
    """Who issues under a policy. Raises RefusedError ``deployment-unknown``: somebody has to."""
    deployment = _deployment(policy_id)
    if deployment is None:
        raise RefusedError(
            f"政策“{policy_id}”没有部署文件，不知道由谁出具；请先在 deployments/ 中登记。", code="deployment-unknown"
        )
    return Issuer(deployment.seal_name, deployment.objection_channel, host(), deployment.is_demonstration)


def current_calendar() -> Calendar:
    """The working-day calendar in use, with the operator's years as they were when the process first asked."""
    return calendar_with(settings.XINZHENG_CALENDAR_YEARS)


@lru_cache(maxsize=2)
def calendar_with(years: Path | None) -> Calendar:
    """The calendar with the years of an operator's file; read once a process."""
    calendar: Calendar = ports.calendars().default_calendar(years)
    return calendar


def host() -> str:
    """The host that reports name for verification."""
    return str(settings.XINZHENG_HOST)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The digests under which pack and calendar are kept (核查依据)."""

    pack: bytes
    calendar: bytes


def keep_inputs(policy: Policy, calendar: Calendar) -> Inputs:
    """Store the pack's bytes and the calendar, each once under its digest."""
    inputs = Inputs(bytes.fromhex(policy.sha256), _calendar_digest(calendar))
    kept = StoredInput.objects.filter(sha256__in=(inputs.pack, inputs.calendar)).values_list("sha256", flat=True)
    known = set(map(bytes, kept))  # their bodies are large: they are neither sent nor read where they stand already
    if inputs.pack not in known:
        keep_pack(policy.id, _files_of(policy))
    if inputs.calendar not in known:
        _keep(inputs.calendar, kind="calendar", name="working-days", body=calendar.as_mapping())
    return inputs


def _files_of(policy: Policy) -> Mapping[str, bytes]:
    """The files behind a policy whose pack is not stored yet, so that it is the one shipped.

    Raises PolicyError ``pack-bytes-unknown``: other bytes under its digest would make every replay derive another
    report.
    """
    files = _pack(policy.id)
    if ports.policy_files().pack_digest(files) != policy.sha256:
        raise PolicyError(
            f"政策“{policy.id}”的政策包与判定所用的不一致，不能存档；请重新启动服务后再试。", code="pack-bytes-unknown"
        )
    return files


def keep_pack(policy_id: str, files: Mapping[str, bytes]) -> bytes:
    """Store a pack's files under their digest, once; the digest."""
    digest = bytes.fromhex(ports.policy_files().pack_digest(files))
    _keep(digest, kind="policy", name=policy_id, body={name: data.decode() for name, data in files.items()})
    return digest


def _keep(digest: bytes, **what: Any) -> None:
    StoredInput.objects.get_or_create(sha256=digest, defaults=what)


@lru_cache(maxsize=8)
def _calendar_digest(calendar: Calendar) -> bytes:
    return hashlib.sha256(json.dumps(calendar.as_mapping(), sort_keys=True).encode()).digest()


@lru_cache(maxsize=32)
def stored_policy(digest: bytes) -> Policy:
    """The policy of a stored pack, without extensions."""
    policy: Policy = ports.policy_files().load_pack_bytes(stored_files(digest))
    if policy.sha256 != digest.hex():
        raise PolicyError(f"存档的政策包{digest.hex()[:12]}与其摘要不符。", code="pack-bytes-unknown")
    return policy


def stored_files(digest: bytes) -> Mapping[str, bytes]:
    """The files of a stored pack."""
    return {name: text.encode() for name, text in StoredInput.objects.get(sha256=digest).body.items()}


@lru_cache(maxsize=32)
def stored_calendar(digest: bytes) -> Calendar:
    """A stored calendar."""
    return calendar_from_mapping(StoredInput.objects.get(sha256=digest).body)
