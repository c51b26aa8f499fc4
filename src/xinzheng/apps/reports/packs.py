"""Policies and calendars in use, and as they were when a report was decided."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from xinzheng.apps.reports import ports
from xinzheng.apps.reports.models import StoredInput
from xinzheng.core.errors import RefusedError
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


@lru_cache(maxsize=32)
def current_policy(policy_id: str) -> Policy:
    """The policy as shipped, with the extensions its deployment records. Raises RefusedError ``unknown-policy``."""
    known = ports.policy_files().list_policies()
    if policy_id not in known:
        raise RefusedError(f"没有“{policy_id}”这项政策；现有：{'、'.join(known)}。", code="unknown-policy")
    policy: Policy = ports.policy_files().load_pack_bytes(_pack(policy_id))
    deployment = _deployment(policy_id)
    return policy if deployment is None else replace(policy, extensions=deployment.extensions)


@lru_cache(maxsize=32)
def _pack(policy_id: str) -> Mapping[str, bytes]:
    """The pack's files, read once, so that what is stored is what was decided by."""
    files: Mapping[str, bytes] = ports.policy_files().pack_bytes(policy_id)
    return files


@lru_cache(maxsize=32)
def _deployment(policy_id: str) -> Any:
    """The deployment that runs the policy, or None."""
    files = ports.deployment_files()
    everything = (files.load_deployment(city) for city in files.available_cities())
    return next((d for d in everything if d.policy_id == policy_id), None)


@lru_cache(maxsize=32)
def current_setting(policy_id: str) -> Setting:
    """What the policy's deployment adds. Raises RefusedError ``deployment-unknown``: somebody has to be the issuer."""
    deployment = _deployment(policy_id)
    if deployment is None:
        raise RefusedError(
            f"政策“{policy_id}”没有部署文件，不知道由谁出具；请先在 deployments/ 中登记。", code="deployment-unknown"
        )
    issuer = Issuer(deployment.seal_name, deployment.objection_channel, host(), deployment.is_demonstration)
    return Setting(issuer, tuple(deployment.extensions))


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
        files = {name: data.decode() for name, data in _pack(policy.id).items()}
        _keep(inputs.pack, kind="policy", name=policy.id, body=files)
    if inputs.calendar not in known:
        _keep(inputs.calendar, kind="calendar", name="working-days", body=calendar.as_mapping())
    return inputs


def _keep(digest: bytes, **what: Any) -> None:
    StoredInput.objects.get_or_create(sha256=digest, defaults=what)


@lru_cache(maxsize=8)
def _calendar_digest(calendar: Calendar) -> bytes:
    return hashlib.sha256(json.dumps(calendar.as_mapping(), sort_keys=True).encode()).digest()


@lru_cache(maxsize=32)
def stored_policy(digest: bytes) -> Policy:
    """The policy of a stored pack, without extensions."""
    files = StoredInput.objects.get(sha256=digest).body
    policy: Policy = ports.policy_files().load_pack_bytes({name: text.encode() for name, text in files.items()})
    return policy


@lru_cache(maxsize=32)
def stored_calendar(digest: bytes) -> Calendar:
    """A stored calendar."""
    return calendar_from_mapping(StoredInput.objects.get(sha256=digest).body)
