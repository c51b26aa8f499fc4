"""What every page's frame needs to know: the site, who is there, where we are, how large the type is."""

from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest

from xinzheng.apps.accounts.models import OF_A_UNIT, Account, Role
from xinzheng.apps.codes.inbox import unread

ELDER_COOKIE = "elder"
ELDER_SIZES = {"large": "大字", "larger": "更大", "largest": "最大"}
DEFAULT_SITE_NAME = "信证"


@dataclass(frozen=True)
class NavItem:
    """One entry of the main navigation: its address, and the paths below which it stands for as well."""

    label: str
    url: str
    prefixes: tuple[str, ...]
    is_current: bool = False


@dataclass(frozen=True)
class Shell:
    """The frame of a page: header, navigation, demonstration strip, size of type."""

    site_name: str
    audience: str
    is_demonstration: bool
    elder: str
    sizes: dict[str, str]
    nav: tuple[NavItem, ...]
    account: Account | None
    here: str

    @property
    def unread(self) -> int:
        """How many notices whoever is there has not read; asked where the head is drawn, and never in the way of it."""
        if self.account is None:
            return 0
        try:
            return unread(self.account)
        except DatabaseError:
            return 0


PUBLIC = (
    NavItem("申请报告", "/apply", ("/apply", "/applications")),
    NavItem("核验报告", "/verify", ("/verify", "/v/")),
    NavItem("办事指南", "/guide", ("/guide",)),
    NavItem("政策依据", "/policies", ("/policies",)),
)
MY_REPORTS = NavItem("我的报告", "/reports", ("/reports", "/shares", "/paper-demands"))
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
OFFICE = (
    NavItem("归集覆盖", "/office/coverage", ("/office/coverage", "/office/waivers", "/office/held")),
    NavItem("质量评分", "/office/scores", ("/office/scores",)),
    NavItem("质量通报", "/office/bulletins", ("/office/bulletins",)),
    NavItem("催办", "/office/reminders", ("/office/reminders",)),
    NavItem("数据核对", "/office/reconciliations", ("/office/reconciliations", "/office/officers")),
    NavItem("异议", "/office/objections", ("/office/objections",)),
    NavItem("待核主体", "/office/review", ("/office/review", "/office/representatives")),
    NavItem("仍要纸质证明", "/office/paper-demands", ("/office/paper-demands",)),
    NavItem("核验单位", "/office/receivers", ("/office/receivers",)),
    NavItem("意见建议", "/office/suggestions", ("/office/suggestions", "/office/register")),
    NavItem("裁定", "/office/rulings", ("/office/rulings",)),
)
RECEIVERS = next(item for item in OFFICE if item.url == "/office/receivers")
RULINGS = next(item for item in OFFICE if item.url == "/office/rulings")
OVERSEEN = (OFFICE[0], OFFICE[1], OFFICE[2], RECEIVERS, PUBLIC[3])
AUDIT = NavItem("审计记录", "/audit", ("/audit",))
ADMINISTRATION = NavItem("接口密钥", "/administration/keys", ("/administration/keys",))
ACCOUNTS = NavItem("账户", "/administration/accounts", ("/administration/accounts",))
CONNECTED = NavItem("接入平台", "/administration/platforms", ("/administration/platforms",))
SESSIONS = NavItem("工作人员的登录", "/administration/sessions", ("/administration/sessions",))
RECEIVER = (NavItem("本单位", "/receiver", ("/receiver",)), NavItem("看亮码的报告", "/s", ("/s",)))
MY_RECORDS = NavItem("记录与修复", "/records", ("/records", "/repairs"))
MY_OBJECTIONS = NavItem("异议", "/objections", ("/objections",))
MANDATES = NavItem("代理关系", "/mandates", ("/mandates",))
ITEMS = {
    Role.DEPARTMENT_OFFICER: (*DEPARTMENT, PUBLIC[3]),
    Role.RESPONSIBLE_OFFICER: (*DEPARTMENT, PUBLIC[3]),
    Role.OFFICE_OPERATOR: OFFICE,
    Role.JUSTICE_LEAD: (*OVERSEEN, RULINGS),
    Role.DATA_LEAD: OVERSEEN,
    Role.SYSTEM_ADMINISTRATOR: (ADMINISTRATION, CONNECTED, ACCOUNTS, *PUBLIC[1:]),
    Role.SECURITY_ADMINISTRATOR: (ACCOUNTS, SESSIONS, *PUBLIC[1:]),
    Role.AUDITOR: (AUDIT, ACCOUNTS, *PUBLIC[1:]),
    Role.RECEIVER: (*RECEIVER, *PUBLIC[1:]),
    Role.SUBJECT_AGENT: (PUBLIC[0], MY_REPORTS, MY_RECORDS, MY_OBJECTIONS, MANDATES, *PUBLIC[1:]),
}


def signed_in_account(request: HttpRequest | None) -> Account | None:
    """The account of this visitor, or None for the public."""
    user = getattr(request, "user", None)
    return cast(Account, user) if user is not None and user.is_authenticated else None


def elder_size(request: HttpRequest | None) -> str:
    """The size chosen in 长辈模式, or an empty string while it is off."""
    chosen = request.COOKIES.get(ELDER_COOKIE, "") if request is not None else ""
    return chosen if chosen in ELDER_SIZES else ""


def shell_of(request: HttpRequest | None) -> Shell:
    """The frame for this request; None (an error page without a request) gives the public frame."""
    account = signed_in_account(request)
    path = request.path if request is not None else ""
    return Shell(
        site_name=getattr(settings, "XINZHENG_SITE_NAME", DEFAULT_SITE_NAME),
        audience=_audience(account),
        is_demonstration=bool(getattr(settings, "XINZHENG_DEMONSTRATION", False)),
        elder=elder_size(request),
        sizes=ELDER_SIZES,
        nav=tuple(_marked(item, path) for item in _items_for(account)),
        account=account,
        here=request.get_full_path() if request is not None and request.method == "GET" else "/",
    )


def _audience(account: Account | None) -> str:
    if account is not None and account.role in OF_A_UNIT:
        return "数源单位"
    if account is not None and account.role == Role.SYSTEM_ADMINISTRATOR:
        return "系统管理"
    if account is not None and account.role == Role.AUDITOR:
        return "审计"
    return "信用办" if account is not None and account.role == Role.OFFICE_OPERATOR else "专用信用报告"


def _items_for(account: Account | None) -> tuple[NavItem, ...]:
    if account is None:
        return PUBLIC
    return ITEMS.get(Role(account.role), PUBLIC[1:])


def _marked(item: NavItem, path: str) -> NavItem:
    here = path == item.url or any(
        path == prefix or path.startswith(prefix.rstrip("/") + "/") for prefix in item.prefixes
    )
    return NavItem(item.label, item.url, item.prefixes, is_current=here)
