"""Who may do what, as one table (权限矩阵): each deed with the permission that decides it and the roles it is for.

The table says what is meant, the permission what holds; the tests hold one against the other, cell by cell.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from xinzheng.apps.accounts import permissions
from xinzheng.apps.accounts.models import OF_A_UNIT, Account, Role

NOBODY: frozenset[Role] = frozenset()
YES, OWN, NO = "可以", "限本方", "—"
# Permissions that are no deed of a role: of a key, of a month, of one request.
OF_NO_ROLE = {
    "refusals_to_answer_by_key": "责任人密钥才能办理责任人的事项，见 xinzheng keys create --responsible",
    "refusals_to_check_batches": "本单位的账户，且本单位已核实、没有停用；见 docs/how-to/核验单位.md",
    "refusals_to_publish_month": "月份须已结束，与角色无关",
    "refusals_to_answer": "由“授权他人”“核对法定代表人”决定，申请人不能确认自己的申请",
}


@dataclass(frozen=True)
class Place:
    """Whose things a deed is about: a unit's, a subject's, a receiver's, another account; and who sent a batch."""

    unit_id: int
    subject_id: int
    receiver_id: int
    other: Account
    submitted_by: str = "account:0"
    domain: str = "taxation"


@dataclass(frozen=True)
class Deed:
    """A deed (办理事项): its words, the permission by name and how it is asked, and whom it is for.

    ``everywhere``: roles that may do it for whomever; ``own``: only for their own unit, subject or receiver.
    """

    words: str
    permission: str
    asked: Callable[[Account, Place], list[str]]
    everywhere: frozenset[Role] = NOBODY
    own: frozenset[Role] = NOBODY

    def cell(self, role: Role) -> str:
        """What the table says of a role."""
        return YES if role in self.everywhere else OWN if role in self.own else NO


def of_unit(words: str, permission: Callable[[Account, int], list[str]], *own: Role, **more: Role) -> Deed:
    """A deed about a unit's data; ``office`` names a role that may do it for every unit."""
    return Deed(
        words,
        permission.__name__,
        lambda account, place: permission(account, place.unit_id),
        frozenset(more.values()),
        frozenset(own or OF_A_UNIT),
    )


def of_subject(words: str, permission: Callable[[Account, int], list[str]], *everywhere: Role) -> Deed:
    """A deed about a subject's reports, for its agents within their mandates."""
    return Deed(
        words,
        permission.__name__,
        lambda account, place: permission(account, place.subject_id),
        frozenset(everywhere),
        frozenset({Role.SUBJECT_AGENT}),
    )


def of_roles(words: str, permission: Callable[[Account], list[str]], *roles: Role) -> Deed:
    """A deed that is about nobody's things."""
    return Deed(words, permission.__name__, lambda account, _place: permission(account), frozenset(roles))


def _of_account(words: str, permission: Callable[[Account, Account], list[str]], role: Role) -> Deed:
    return Deed(words, permission.__name__, lambda account, place: permission(account, place.other), frozenset({role}))


def _of_opening(words: str, opened: Role, role: Role) -> Deed:
    permission = permissions.refusals_to_open_account
    return Deed(words, permission.__name__, lambda account, _place: permission(account, opened), frozenset({role}))


ACCOUNT_DEEDS: tuple[Deed, ...] = (
    of_subject("申请报告", permissions.refusals_to_apply),
    of_subject("查看本主体的报告清单", permissions.refusals_to_see_reports),
    of_subject("查看报告内容", permissions.refusals_to_read_report, Role.OFFICE_OPERATOR, Role.AUDITOR),
    of_subject("亮码、收回", permissions.refusals_to_share),
    of_subject("查看谁看过报告", permissions.refusals_to_see_views),
    of_subject("提出异议、反映仍要纸质证明", permissions.refusals_to_object),
    of_subject("授权他人、撤销授权", permissions.refusals_to_authorise),
    of_roles("申请代理企业", permissions.refusals_to_ask_for_a_mandate, Role.SUBJECT_AGENT),
    of_roles("核对法定代表人", permissions.refusals_to_settle_representation, Role.OFFICE_OPERATOR),
    Deed(
        "核验单位事项",
        "refusals_to_manage_receiver",
        lambda account, place: permissions.refusals_to_manage_receiver(account, place.receiver_id),
        own=frozenset({Role.RECEIVER}),
    ),
    of_unit("报送数据", permissions.refusals_to_submit),
    of_unit("填报归集覆盖、零报告", permissions.refusals_to_declare_coverage),
    of_unit("说明被退回的行", permissions.refusals_to_answer_for_lines, Role.RESPONSIBLE_OFFICER),
    of_unit("撤回批次", permissions.refusals_to_withdraw, Role.RESPONSIBLE_OFFICER),
    Deed(
        "确认暂存的批次（他人报送的）",
        "refusals_to_confirm",
        lambda account, place: permissions.refusals_to_confirm(account, place.unit_id, place.submitted_by),
        frozenset({Role.OFFICE_OPERATOR}),
        frozenset(OF_A_UNIT),
    ),
    of_unit("撤回暂存的批次", permissions.refusals_to_decline, office=Role.OFFICE_OPERATOR),
    of_roles("办理信用办事项", permissions.refusals_to_run_the_office, Role.OFFICE_OPERATOR),
    of_roles("查看核验单位清单", permissions.refusals_to_see_receivers, Role.OFFICE_OPERATOR, *permissions.LEADS),
    of_roles("查看审计记录", permissions.refusals_to_read_audit, Role.AUDITOR),
    of_roles("管理业务账户", permissions.refusals_to_administer, Role.SYSTEM_ADMINISTRATOR),
    of_roles("发放、吊销接口密钥", permissions.refusals_to_manage_keys, Role.SYSTEM_ADMINISTRATOR),
    of_roles("登记、停用接入平台", permissions.refusals_to_manage_platforms, Role.SYSTEM_ADMINISTRATOR),
    of_roles("授权平台代办、收回", permissions.refusals_to_let_platforms_act, Role.SUBJECT_AGENT),
    of_roles("查看账户", permissions.refusals_to_see_accounts, *permissions.THREE_ADMINISTRATIONS),
    _of_opening("开立业务账户", Role.OFFICE_OPERATOR, Role.SYSTEM_ADMINISTRATOR),
    _of_opening("开立安全管理员、审计员账户", Role.AUDITOR, Role.SECURITY_ADMINISTRATOR),
    _of_account("停用、恢复业务账户（他人的）", permissions.refusals_to_close_account, Role.SYSTEM_ADMINISTRATOR),
    of_roles("办理账户安全事项", permissions.refusals_to_secure, Role.SECURITY_ADMINISTRATOR),
    _of_account("分配角色（他人的）", permissions.refusals_to_assign_role, Role.SECURITY_ADMINISTRATOR),
    _of_account(
        "解除锁定、重置第二因子、全部退出（他人的）", permissions.refusals_to_unlock, Role.SECURITY_ADMINISTRATOR
    ),
)


def matrix(deeds: Iterable[Deed]) -> str:
    """The table as Markdown."""
    head = ["办理事项", *(role.label for role in Role), "权限函数"]
    lines = [head, ["---"] * len(head)]
    lines += [[deed.words, *(deed.cell(role) for role in Role), f"`{deed.permission}`"] for deed in deeds]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
