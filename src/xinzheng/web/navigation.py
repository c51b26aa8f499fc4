"""The main navigation (主导航): which entries each role has, the office's many grouped under 更多."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xinzheng.apps.accounts.models import Account, Role


@dataclass(frozen=True)
class NavItem:
    """One entry of the main navigation: its address, and the paths below which it stands for as well."""

    label: str
    url: str
    prefixes: tuple[str, ...]
    is_current: bool = False

    def marked(self, path: str) -> "NavItem":
        """The same, current where the path is its own or lies below one of its prefixes."""
        below = any(path == prefix or path.startswith(prefix.rstrip("/") + "/") for prefix in self.prefixes)
        return replace(self, is_current=path == self.url or below)


@dataclass(frozen=True)
class NavGroup:
    """Entries that unfold below one word."""

    label: str
    items: tuple[NavItem, ...]

    @property
    def current(self) -> NavItem | None:
        """The entry of the group that is the page at hand, if it is one."""
        return next((item for item in self.items if item.is_current), None)

    def marked(self, path: str) -> "NavGroup":
        """The same with its entries marked."""
        return replace(self, items=tuple(item.marked(path) for item in self.items))


Navigation = tuple[NavItem | NavGroup, ...]

PUBLIC = (
    NavItem("申请报告", "/apply", ("/apply", "/applications")),
    NavItem("核验报告", "/verify", ("/verify", "/v/")),
    NavItem("办事指南", "/guide", ("/guide",)),
    NavItem("政策依据", "/policies", ("/policies",)),
)
MY_REPORTS = NavItem("我的报告", "/reports", ("/reports", "/shares", "/paper-demands"))
MY_RECORDS = NavItem("记录与修复", "/records", ("/records", "/repairs"))
MY_OBJECTIONS = NavItem("异议", "/objections", ("/objections",))
MANDATES = NavItem("代理关系", "/mandates", ("/mandates",))
DEPARTMENT = (
    NavItem(
        "报送与覆盖",
        "/department",
        tuple(f"/department/{part}" for part in ("upload", "uploads", "batches", "zero", "coverage", "maps")),
    ),
    NavItem("归集日历", "/department/calendar", ()),
    NavItem("质量评分", "/department/score", ()),
    NavItem("数据核对", "/department/reconciliation", ("/department/reconciliation",)),
    NavItem("异议", "/department/objections", ("/department/objections",)),
)
DESK = NavItem("运行情况", "/office", ())
SYSTEM = NavItem("系统状态", "/office/system", ())
COVERAGE = NavItem("归集覆盖", "/office/coverage", ("/office/coverage", "/office/waivers", "/office/held"))
OBJECTIONS = NavItem("异议", "/office/objections", ("/office/objections",))
BULLETINS = NavItem("质量通报", "/office/bulletins", ("/office/bulletins",))
PACKS = NavItem("政策", "/office/policies", ("/office/policies", "/office/growth"))
SCREENINGS = NavItem("名单核查", "/office/screenings", ("/office/screenings",))
SCORES = NavItem("质量评分", "/office/scores", ("/office/scores",))
RECEIVERS = NavItem("核验单位", "/office/receivers", ("/office/receivers",))
RULINGS = NavItem("裁定", "/office/rulings", ("/office/rulings",))
CONNECTIONS = NavItem("接入登记", "/office/connections", ("/office/connections",))
ANNOUNCEMENTS = NavItem("公告", "/office/announcements", ("/office/announcements",))
OFFICE_MORE = NavGroup(
    "更多",
    (
        SCORES,
        NavItem("催办", "/office/reminders", ("/office/reminders",)),
        NavItem("数据核对", "/office/reconciliations", ("/office/reconciliations", "/office/officers")),
        NavItem("待核主体", "/office/review", ("/office/review", "/office/representatives")),
        NavItem("仍要纸质证明", "/office/paper-demands", ("/office/paper-demands",)),
        NavItem("意见建议", "/office/suggestions", ("/office/suggestions", "/office/register")),
        RULINGS,
        RECEIVERS,
        CONNECTIONS,
        ANNOUNCEMENTS,
        SYSTEM,
    ),
)
OVERSEEN = (DESK, COVERAGE, SCORES, BULLETINS, RECEIVERS, PUBLIC[3])
AUDIT = NavItem("审计记录", "/audit", ("/audit",))
SCREENED = NavItem("名单核查", "/audit/screenings", ("/audit/screenings",))
ADMINISTRATION = NavItem("接口密钥", "/administration/keys", ("/administration/keys",))
ACCOUNTS = NavItem("账户", "/administration/accounts", ("/administration/accounts",))
CONNECTED = NavItem("接入平台", "/administration/platforms", ("/administration/platforms",))
SESSIONS = NavItem("工作人员的登录", "/administration/sessions", ("/administration/sessions",))
RECEIVER = (NavItem("本单位", "/receiver", ("/receiver",)), NavItem("看亮码的报告", "/s", ("/s",)))
ITEMS: Mapping[Role, Navigation] = {
    Role.DEPARTMENT_OFFICER: (*DEPARTMENT, PUBLIC[3]),
    Role.RESPONSIBLE_OFFICER: (*DEPARTMENT, PUBLIC[3]),
    Role.OFFICE_OPERATOR: (DESK, COVERAGE, OBJECTIONS, BULLETINS, PACKS, SCREENINGS, OFFICE_MORE),
    Role.JUSTICE_LEAD: (*OVERSEEN, PACKS, RULINGS),
    Role.DATA_LEAD: OVERSEEN,
    Role.SYSTEM_ADMINISTRATOR: (
        ADMINISTRATION,
        CONNECTED,
        ACCOUNTS,
        NavGroup("更多", (CONNECTIONS, ANNOUNCEMENTS, SYSTEM)),
        *PUBLIC[1:],
    ),
    Role.SECURITY_ADMINISTRATOR: (ACCOUNTS, SESSIONS, *PUBLIC[1:]),
    Role.AUDITOR: (AUDIT, SCREENED, DESK, ACCOUNTS, *PUBLIC[1:]),
    Role.RECEIVER: (*RECEIVER, *PUBLIC[1:]),
    Role.SUBJECT_AGENT: (PUBLIC[0], MY_REPORTS, MY_RECORDS, MY_OBJECTIONS, MANDATES, *PUBLIC[1:]),
}


def navigation_of(account: Account | None, path: str) -> Navigation:
    """The entries of whoever is there, with the one marked that is the page at hand."""
    items = PUBLIC if account is None else ITEMS.get(Role(account.role), PUBLIC[1:])
    marked = tuple(item.marked(path) for item in items)
    current = [item for item in marked if isinstance(item, NavItem) and item.is_current]
    # Of two entries the page lies below, the nearer one is it: 名单核查 is below 审计记录 and no part of it.
    nearest = max(current, key=lambda item: len(item.url), default=None)
    return tuple(replace(item, is_current=item is nearest) if isinstance(item, NavItem) else item for item in marked)
