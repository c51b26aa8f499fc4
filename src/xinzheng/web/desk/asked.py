"""What the desk was asked for (查看范围): days, a policy or all, how coverage is grouped; shortcuts to usual days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from django.http import Http404, HttpRequest
from django.utils.http import urlencode

from xinzheng.apps.oversight.desk_figures import Range
from xinzheng.apps.oversight.queries import overseen_policies
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.policy import Policy
from xinzheng.web.form_errors import FieldError

EARLIEST = date(2000, 1, 1)
# Eleven bars of a year each: more cannot be read, and nothing here is older.
DAYS_AT_MOST = 3_653
UNFIT = "日期应为“年-月-日”，先后不颠倒，不晚于今天，至多十年，例如2026-01-01至2026-06-30。"
GROUPS: Mapping[str, str] = MappingProxyType({"domain": "领域", "unit": "单位"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page shows: of all policies where none is chosen; ``group``: how coverage is grouped."""

    range: Range
    today: date
    policy: Policy | None
    policies: tuple[Policy, ...]
    group: str
    errors: tuple[FieldError, ...] = ()

    @property
    def policy_id(self) -> str | None:
        """The chosen policy's id, None for all."""
        return self.policy.id if self.policy else None

    @property
    def domains(self) -> dict[str, str]:
        """The names of the domains of all policies, by their codes."""
        return {domain.code: domain.name for policy in self.policies for domain in policy.domains}

    @property
    def query(self) -> str:
        """Behind the question mark."""
        return self._query(self.range, self.group)

    @property
    def shortcuts(self) -> list[tuple[str, str, bool]]:
        """Usual ranges: their name, their query, whether that is what is shown."""
        return [(name, self._query(of, self.group), of == self.range) for name, of in _usual(self.today)]

    @property
    def groups(self) -> list[tuple[str, str, bool]]:
        """How coverage may be grouped."""
        return [(name, self._query(self.range, key), key == self.group) for key, name in GROUPS.items()]

    def _query(self, of: Range, group: str) -> str:
        told = {"from": of.first.isoformat(), "to": of.last.isoformat(), "policy": self.policy_id or "", "by": group}
        return urlencode(told)


def _usual(today: date) -> list[tuple[str, Range]]:
    this = Month.of(today)
    return [
        ("近两周", Range(today - timedelta(days=12), today)),
        ("本月", Range(this.first, today)),
        ("近三个月", Range(this.plus(-2).first, today)),
        ("近12个月", Range(this.plus(-11).first, today)),
        ("今年", Range(date(today.year, 1, 1), today)),
        ("去年", Range(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31))),
    ]


def asked_of(request: HttpRequest, today: date) -> Asked:
    """What the address asks for; the latest twelve months, with an error at the field, where its days are unfit.

    Raises:
        Http404: a policy or a grouping that is not there.
    """
    policies = tuple(overseen_policies(today))
    wanted, group = request.GET.get("policy", ""), request.GET.get("by", "") or "domain"
    policy = next((one for one in policies if one.id == wanted), None)
    if (wanted and policy is None) or group not in GROUPS:
        raise Http404("没有这项政策，或者没有这种分组。")
    found = _range(request, today)
    if found is None:
        return Asked(_usual(today)[3][1], today, policy, policies, group, (FieldError("from", UNFIT),))
    return Asked(found, today, policy, policies, group)


def _range(request: HttpRequest, today: date) -> Range | None:
    usual = _usual(today)[3][1]
    try:
        first = date.fromisoformat(request.GET.get("from") or usual.first.isoformat())
        last = date.fromisoformat(request.GET.get("to") or usual.last.isoformat())
    except ValueError:
        return None
    if not EARLIEST <= first <= last <= today or (last - first).days >= DAYS_AT_MOST:
        return None
    return Range(first, last)
