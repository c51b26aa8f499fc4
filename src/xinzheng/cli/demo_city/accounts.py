"""Demonstration accounts (演示账户): one click signs in, no password does; only while demonstration is on."""

from collections.abc import Mapping

from django.conf import settings

from xinzheng.adapters.deployment_files import Deployment
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.mandates import NewMandate, grant
from xinzheng.apps.accounts.models import Account, Mandate, Role
from xinzheng.apps.accounts.queries import account_named
from xinzheng.apps.codes.receiver_queries import receiver_by_uscc
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register
from xinzheng.apps.registry.queries import find_subject, unit_by_uscc
from xinzheng.cli.demo_city.characters import known_codes
from xinzheng.cli.demo_city.codes import invented_uscc
from xinzheng.cli.demo_city.marks import BY
from xinzheng.cli.demo_city.organs import unit_named
from xinzheng.cli.demo_city.returning import PLATFORM
from xinzheng.core.errors import XinzhengError

AGENTS = (
    ("demo-suzhou", "clear", "苏州企业经办人"),
    ("demo-suzhou-records", "records", "苏州企业经办人（有记录）"),
    ("demo-huzhou", "huzhou", "湖州企业经办人"),
)
PERSON = ("demo-person", "person", "湖州自然人")
# One agent acts for two companies, so that choosing between them can be tried.
OF_BOTH, SECOND = "demo-suzhou", "records"
SECOND_SCOPES = ("apply", "read", "share")
WATER_UNIT = "市水务局"
WATER_HEAD = "demo-water-head"
PLATFORM_OFFICER = "demo-platform"
# One that the office has verified, one that waits for it. Serials far from those of the companies.
RECEIVER, NEW_RECEIVER = "demo-receiver", "demo-receiver-new"
RECEIVERS = {
    RECEIVER: Registration(invented_uscc("91", "320508", 9_000_001), "示例银行苏州分行", "bank"),
    NEW_RECEIVER: Registration(invented_uscc("91", "320508", 9_000_002), "示例证券有限公司", "broker"),
}


def open_demo_accounts(deployments: Mapping[str, Deployment]) -> int:
    """Open those that are missing; how many. None while ``XINZHENG_DEMONSTRATION`` is off."""
    if not settings.XINZHENG_DEMONSTRATION:
        return 0
    missing = [new for new in _accounts(deployments) if account_named(new.username) is None]
    for new in missing:
        account = open_account(new, by=BY)
        if new.username == OF_BOTH:
            second = _subject(known_codes()[SECOND])
            grant(NewMandate(account.pk, second, Mandate.Basis.OPENED, SECOND_SCOPES), by=BY)
        if new.username in RECEIVERS:
            _register(account)
    return len(missing)


def _accounts(deployments: Mapping[str, Deployment]) -> list[NewAccount]:
    """Without a password nobody can sign in by password."""
    subjects = {role: _subject(code) for role, code in known_codes().items()}
    water = _registered(deployments, WATER_UNIT)
    if water is None:
        raise XinzhengError(f"没有登记单位“{WATER_UNIT}”，请重新运行 xinzheng demo city。", code="demo-city-broken")
    return [
        *(NewAccount(name, shown, Role.SUBJECT_AGENT, subject_id=subjects[role]) for name, role, shown in AGENTS),
        NewAccount(PERSON[0], PERSON[2], Role.SUBJECT_AGENT, person_id=subjects[PERSON[1]]),
        NewAccount("demo-water", "苏州市水务局工作人员", Role.DEPARTMENT_OFFICER, unit_id=water),
        NewAccount(WATER_HEAD, "苏州市水务局责任人", Role.RESPONSIBLE_OFFICER, unit_id=water),
        *_platform_accounts(deployments),
        NewAccount("demo-office", "信用办工作人员", Role.OFFICE_OPERATOR),
        NewAccount("demo-justice", "司法局联络员", Role.JUSTICE_LEAD),
        NewAccount("demo-admin", "系统管理员", Role.SYSTEM_ADMINISTRATOR),
        NewAccount("demo-security", "安全管理员", Role.SECURITY_ADMINISTRATOR),
        NewAccount("demo-auditor", "审计员", Role.AUDITOR),
        NewAccount(RECEIVER, "示例银行柜员", Role.RECEIVER),
        NewAccount(NEW_RECEIVER, "示例证券经办人", Role.RECEIVER),
    ]


def _register(account: Account) -> None:
    asked = RECEIVERS[account.username]
    register(account, asked)
    found = receiver_by_uscc(asked.uscc)
    if account.username == RECEIVER and found is not None:
        decide(found.pk, Decision(State.VERIFIED, account_ids=(account.pk,)), by=BY)


def _subject(code: str) -> int:
    found = find_subject(code)
    if found is None:
        raise XinzhengError("主体名录中没有演示主体，请重新运行 xinzheng demo city。", code="demo-city-broken")
    return found


def _platform_accounts(deployments: Mapping[str, Deployment]) -> list[NewAccount]:
    """None in a city that was made before there were returns."""
    unit_id = _registered(deployments, PLATFORM)
    shown = f"{PLATFORM}工作人员"
    return [NewAccount(PLATFORM_OFFICER, shown, Role.DEPARTMENT_OFFICER, unit_id=unit_id)] if unit_id else []


def _registered(deployments: Mapping[str, Deployment], name: str) -> int | None:
    planned = unit_named(deployments, name)
    unit = None if planned is None else unit_by_uscc(planned.uscc)
    return None if unit is None else unit.id
