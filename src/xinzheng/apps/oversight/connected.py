"""The register of what is connected (接入登记): sources, channels, platforms, receivers, keys, webhooks.

Each with its state, when it was last used, and whether somebody should look at it. No secret and no address in full.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from allauth.idp.oidc.models import Token
from django.db import connection
from django.db.models import Max

from xinzheng.apps.accounts.platforms import platforms_known
from xinzheng.apps.accounts.queries import api_keys
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.scopes import overseen_policies, scopes_of
from xinzheng.apps.registry.queries import RegisteredUnit, channels_at, units_at
from xinzheng.core.decision import CHINA, china_date

UNUSED = timedelta(days=180)
FAILING = timedelta(days=1)
SHOWN_AT_MOST = 200

# The last file or statement of a unit, whoever made it: (unit, by return for another, when).
DELIVERED = """
    SELECT unit_id, max(at) FROM (
        SELECT b.unit_id, e.recorded_at AS at FROM ledger_batch b JOIN audit_entry e ON e.id = b.entry_id
        UNION ALL
        SELECT s.unit_id, e.recorded_at FROM ledger_coveragestatement s JOIN audit_entry e ON e.id = s.entry_id
        WHERE s.source_unit_id IS NULL
    ) delivered GROUP BY unit_id
"""
RETURNED = """
    SELECT s.source_unit_id, s.unit_id, max(e.recorded_at)
    FROM ledger_coveragestatement s JOIN audit_entry e ON e.id = s.entry_id
    WHERE s.source_unit_id IS NOT NULL GROUP BY 1, 2
"""
RECEIVERS = """
    SELECT r.name, r.uscc, coalesce(d.state, 'pending'),
           (SELECT count(*) FROM accounts_account a WHERE a.receiver_id = r.id),
           greatest((SELECT at FROM codes_view v WHERE v.receiver_id = r.id ORDER BY at DESC LIMIT 1),
                    (SELECT max(created_at) FROM codes_batchcheck c WHERE c.receiver_id = r.id))
    FROM codes_receiver r
    LEFT JOIN LATERAL (SELECT state FROM codes_receiverdecision WHERE receiver_id = r.id ORDER BY id DESC LIMIT 1) d
        ON true
    ORDER BY (d.state IS NULL) DESC, 5 DESC NULLS LAST, r.name LIMIT %s
"""
WEBHOOKS = """
    SELECT coalesce(p.name, r.name, w.client_id), w.url, w.ended_at, w.failing_since,
           (SELECT max(done_at) FROM codes_delivery d WHERE d.webhook_id = w.id)
    FROM codes_webhook w LEFT JOIN accounts_platform p ON p.client_id = w.client_id
    LEFT JOIN codes_receiver r ON r.id = w.receiver_id
    ORDER BY w.ended_at IS NOT NULL, 1, w.id LIMIT %s
"""
RECEIVER_STATES = {"pending": "待核实", "verified": "已核实", "refused": "不予通过", "suspended": "已停用"}


@dataclass(frozen=True, slots=True)
class Connected:
    """One thing connected (接入): its name, what it is about, how it stands, when it was last used (None: never).

    ``needs`` says why somebody should look at it; empty where nobody need. ``is_over``: it is connected no more.
    """

    name: str
    about: str
    state: str
    used_at: datetime | date | None
    needs: str = ""
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """All of one kind (一类接入), with where they are looked after."""

    key: str
    title: str
    used: str
    rows: tuple[Connected, ...]
    place: str = ""

    @property
    def in_use(self) -> int:
        """How many are connected now."""
        return sum(not row.is_over for row in self.rows)

    @property
    def needing(self) -> int:
        """How many somebody should look at."""
        return sum(bool(row.needs) for row in self.rows)


def connected(now: datetime) -> tuple[Section, ...]:
    """The whole register as it stands."""
    units = units_at(head_position())
    return (
        Section("sources", "数源单位", "最近报送", tuple(_sources(now)), "/office/coverage"),
        Section("channels", "回流渠道", "最近回流", tuple(_channels(units))),
        Section("platforms", "平台", "最近取得令牌", tuple(_platforms()), "/administration/platforms"),
        Section("receivers", "核验单位", "最近核验、查看", tuple(_receivers()), "/office/receivers"),
        Section("keys", "接口密钥", "最近使用", tuple(_keys(units, now)), "/administration/keys"),
        Section("webhooks", "回调地址", "最近投递", tuple(_webhooks(now))),
    )


def _sources(now: datetime) -> Iterator[Connected]:
    delivered = {unit: at for unit, at in _rows(DELIVERED)}
    domains: defaultdict[RegisteredUnit, set[str]] = defaultdict(set)
    for policy in overseen_policies(china_date(now)):
        for scope in scopes_of(policy, head_position()):
            domains[scope.unit].add(scope.domain_name)
    for unit, names in sorted(domains.items(), key=lambda item: item[0].uscc):
        at = delivered.get(unit.id)
        state = "在报送" if at else "从未报送"
        yield Connected(unit.name, _listed(names, "个领域"), state, at, "" if at else "还没有报送过")


def _channels(units: dict[int, RegisteredUnit]) -> Iterator[Connected]:
    returned = {(source, unit): at for source, unit, at in _rows(RETURNED)}
    by_code = {unit.uscc: unit for unit in units.values()}
    lasting = {(one.source, one.unit) for one in channels_at()}
    domains: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for one in channels_at(with_ended=True):
        domains[one.source, one.unit].add(f"{one.domain} {one.kind}")
    for (source, unit), kinds in sorted(domains.items()):
        at = returned.get((by_code[source].id, by_code[unit].id))
        is_over = (source, unit) not in lasting
        name = f"{by_code[source].short_name}→{by_code[unit].short_name}"
        yield Connected(name, f"{len(kinds)}类数据", "已结束" if is_over else "在用", at, is_over=is_over)


def _platforms() -> Iterator[Connected]:
    used = dict(Token.objects.values_list("client_id").annotate(at=Max("created_at")))
    for one in platforms_known():
        is_over = one.revoked_at is not None
        yield Connected(
            one.name,
            f"每分钟至多{one.per_minute}次",
            "已停用" if is_over else "在用",
            used.get(one.client_id),
            is_over=is_over,
        )


def _receivers() -> Iterator[Connected]:
    for name, uscc, state, accounts, at in _rows(RECEIVERS, SHOWN_AT_MOST):
        needs = "等待核实" if state == "pending" else ""
        is_over = state in ("refused", "suspended")
        yield Connected(name, f"{uscc}，{accounts}个账户", RECEIVER_STATES[state], at, needs, is_over)


def _keys(units: dict[int, RegisteredUnit], now: datetime) -> Iterator[Connected]:
    today = china_date(now)
    for key in api_keys():
        unit = units.get(key.unit_id)
        is_over = key.revoked_at is not None
        since = key.last_used_date or key.created_at.astimezone(CHINA).date()
        is_idle = not is_over and today - since > UNUSED
        yield Connected(
            key.name,
            unit.name if unit else str(key.unit_id),
            "已吊销" if is_over else "在用",
            key.last_used_date,
            f"超过{UNUSED.days}天没有使用，不用的请吊销" if is_idle else "",
            is_over,
        )


def _webhooks(now: datetime) -> Iterator[Connected]:
    for owner, url, ended, failing, at in _rows(WEBHOOKS, SHOWN_AT_MOST):
        is_failing = ended is None and failing is not None and now - failing > FAILING
        state = "已删除" if ended else "投递失败" if failing else "在用"
        since = "" if not is_failing else f"{failing.astimezone(CHINA):%Y-%m-%d}起一直投递失败，请联系对方"
        # Beyond the host an address may hold a secret.
        yield Connected(owner, urlsplit(url).hostname or "", state, at, since, ended is not None)


def _listed(names: Iterable[str], measure: str) -> str:
    found = sorted(names)
    return found[0] if len(found) == 1 else f"{len(found)}{measure}"


def _rows(statement: str, *values: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
