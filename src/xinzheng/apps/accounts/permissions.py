"""What an account may do. Each function returns the reasons against it, in Chinese; an empty list means yes."""

from django.utils import timezone

from xinzheng.apps.accounts.mandate_queries import scopes_of
from xinzheng.apps.accounts.models import OF_A_UNIT, Account, ApiKey, Role

INACTIVE = "账户已停用，请联系系统管理员。"
# Administration, security and audit are never one person (三员分立).
OF_SECURITY = (Role.SECURITY_ADMINISTRATOR, Role.AUDITOR)
# Who promotes the reports in the city together with the credit office; they look on, they settle nothing.
LEADS = (Role.JUSTICE_LEAD, Role.DATA_LEAD)
THREE_ADMINISTRATIONS = (Role.SYSTEM_ADMINISTRATOR, *OF_SECURITY)


def refusals_to_submit(account: Account, unit_id: int) -> list[str]:
    """Submit records of a unit (报送): its officers."""
    return _inactive(account) + _not_of_unit(account, unit_id, "报送数据")


def refusals_to_declare_coverage(account: Account, unit_id: int) -> list[str]:
    """Declare or withdraw what a unit's data cover, also as a zero return (零报告): its officers."""
    return _inactive(account) + _not_of_unit(account, unit_id, "填报归集覆盖")


def refusals_to_answer_for_lines(account: Account, unit_id: int) -> list[str]:
    """Explain rejected lines so that a batch can carry its statement: the unit's responsible officer (责任人)."""
    refusals = _inactive(account) + _not_of_unit(account, unit_id, "说明被退回的行")
    if account.role == Role.DEPARTMENT_OFFICER:
        refusals.append("说明被退回的行须由本单位责任人办理。")
    return refusals


def refusals_to_confirm(account: Account, unit_id: int, submitted_by: str) -> list[str]:
    """Confirm a held batch (确认暂存批次): another officer of the unit than who submitted it, or the credit office."""
    refusals = refusals_to_decline(account, unit_id)
    if account.actor == submitted_by:
        refusals.append("本批是您报送的，须由本单位另一名工作人员或者信用办确认。")
    return refusals


def refusals_to_decline(account: Account, unit_id: int) -> list[str]:
    """Decline a held batch (撤回暂存批次): the unit's officers, also who submitted it, and the credit office."""
    if account.role == Role.OFFICE_OPERATOR:
        return _inactive(account)
    return _inactive(account) + _not_of_unit(account, unit_id, "处理暂存的批次")


def refusals_to_apply(account: Account, subject_id: int) -> list[str]:
    """Apply for a subject's report (申请报告): the subject's agent (经办人)."""
    return _inactive(account) + _not_of_subject(account, subject_id, "apply", "申请专用信用报告")


def refusals_to_read_report(account: Account, subject_id: int) -> list[str]:
    """Read the content of a subject's report: its agent, the credit office and the auditor."""
    if account.role in (Role.OFFICE_OPERATOR, Role.AUDITOR):
        return _inactive(account)
    return _inactive(account) + _not_of_subject(account, subject_id, "read", "查看报告内容")


def refusals_to_see_reports(account: Account, subject_id: int) -> list[str]:
    """See the list of a subject's own reports: its agent (经办人)."""
    return _inactive(account) + _not_of_subject(account, subject_id, "read", "查看这一主体的报告")


def refusals_to_share(account: Account, subject_id: int) -> list[str]:
    """Show a report by code and take the code back (亮码): the subject's agent (经办人)."""
    return _inactive(account) + _not_of_subject(account, subject_id, "share", "亮码")


def refusals_to_see_views(account: Account, subject_id: int) -> list[str]:
    """See who looked at a subject's reports (查看记录): the subject's agent (经办人)."""
    return _inactive(account) + _not_of_subject(account, subject_id, "read", "查看谁看过报告")


def refusals_to_object(account: Account, subject_id: int) -> list[str]:
    """Object to a record, report a demand for paper (提出异议): the subject's agent (经办人)."""
    return _inactive(account) + _not_of_subject(account, subject_id, "object", "提出异议或者反映情况")


def refusals_to_authorise(account: Account, subject_id: int) -> list[str]:
    """Confirm and revoke mandates for a subject (授权他人): its legal representative (法定代表人)."""
    return _inactive(account) + _not_of_subject(account, subject_id, "authorise", "授权他人")


def refusals_to_ask_for_a_mandate(account: Account) -> list[str]:
    """Ask to act for an organisation (申请授权): any agent (经办人)."""
    return _inactive(account) + _not_in_role(account, Role.SUBJECT_AGENT, "申请代理企业")


def refusals_to_settle_representation(account: Account) -> list[str]:
    """Settle who represents an organisation where the register names another: the credit office (信用办)."""
    return _inactive(account) + _not_in_role(account, Role.OFFICE_OPERATOR, "核对法定代表人")


def refusals_to_manage_receiver(account: Account, receiver_id: int | None) -> list[str]:
    """See what a receiver was shown, verify lists, subscribe (核验单位事项): its own accounts. None: of none yet."""
    refusals = _inactive(account) + _not_in_role(account, Role.RECEIVER, "办理核验单位事项")
    if not refusals and account.receiver_id != receiver_id:
        refusals.append("本账户属于另一核验单位，只能办理本单位的事项。")
    return refusals


def refusals_to_run_the_office(account: Account) -> list[str]:
    """See the quality of all units' data and release held batches: the credit office (信用办)."""
    return _inactive(account) + _not_in_role(account, Role.OFFICE_OPERATOR, "办理信用办事项")


def refusals_to_see_receivers(account: Account) -> list[str]:
    """See all receivers and how they stand: the credit office and the leads of justice and data (联络员)."""
    if account.role in (Role.OFFICE_OPERATOR, *LEADS):
        return _inactive(account)
    return [*_inactive(account), f"只有信用办和司法局、大数据局的联络员可以查看核验单位，{_own_role(account)}"]


def refusals_to_read_audit(account: Account) -> list[str]:
    """Read the audit trail: the auditor (审计员)."""
    return _inactive(account) + _not_in_role(account, Role.AUDITOR, "查看审计记录")


def refusals_to_administer(account: Account) -> list[str]:
    """Open and close accounts: the system administrator (系统管理员)."""
    return _inactive(account) + _not_in_role(account, Role.SYSTEM_ADMINISTRATOR, "管理账户")


def refusals_to_secure(account: Account) -> list[str]:
    """Assign roles, reset second factors, unlock, end sessions: the security administrator (安全管理员)."""
    return _inactive(account) + _not_in_role(account, Role.SECURITY_ADMINISTRATOR, "办理账户安全事项")


def refusals_to_see_accounts(account: Account) -> list[str]:
    """See all accounts: each of the three administrations (系统管理员、安全管理员、审计员)."""
    if account.role in THREE_ADMINISTRATIONS:
        return _inactive(account)
    return [*_inactive(account), f"只有系统管理员、安全管理员和审计员可以查看账户，{_own_role(account)}"]


def refusals_to_open_account(account: Account, role: Role) -> list[str]:
    """Open an account: the system administrator; one of security or audit: the security administrator."""
    if role in OF_SECURITY:
        return _inactive(account) + _not_in_role(account, Role.SECURITY_ADMINISTRATOR, f"开立{role.label}账户")
    return _inactive(account) + _not_in_role(account, Role.SYSTEM_ADMINISTRATOR, f"开立{role.label}账户")


def refusals_to_close_account(account: Account, other: Account) -> list[str]:
    """Close or reopen an account: who may open one of its role; nobody his own."""
    return refusals_to_open_account(account, Role(other.role)) + _own(account, other, "停用")


def refusals_to_assign_role(account: Account, other: Account) -> list[str]:
    """Give an account another role: the security administrator; nobody to himself."""
    return refusals_to_secure(account) + _own(account, other, "改变其角色")


def refusals_to_unlock(account: Account, other: Account) -> list[str]:
    """Unlock an account, reset its second factor, end its sessions: the security administrator; not his own."""
    return refusals_to_secure(account) + _own(account, other, "解除锁定、重置第二因子")


def refusals_to_manage_keys(account: Account) -> list[str]:
    """Make and revoke keys (接口密钥) of units: the system administrator (系统管理员)."""
    return _inactive(account) + _not_in_role(account, Role.SYSTEM_ADMINISTRATOR, "管理接口密钥")


def refusals_to_answer_by_key(key: ApiKey) -> list[str]:
    """Do by key what only the unit's responsible officer may: a key that was made for that officer (责任人密钥)."""
    return [] if key.is_responsible else ["这件事只由本单位责任人办理；请用责任人的密钥，或者由责任人在网页上办理。"]


def refusals_to_manage_platforms(account: Account) -> list[str]:
    """Register and revoke platforms (接入平台): the system administrator (系统管理员)."""
    return _inactive(account) + _not_in_role(account, Role.SYSTEM_ADMINISTRATOR, "管理接入平台")


def refusals_to_let_platforms_act(account: Account) -> list[str]:
    """Let platforms act for oneself, and take it back (授权平台代办): any agent (经办人)."""
    return _inactive(account) + _not_in_role(account, Role.SUBJECT_AGENT, "授权平台代办")


def refusals_to_withdraw(account: Account, unit_id: int) -> list[str]:
    """Withdraw a batch (撤回批次): the unit's responsible officer (责任人); reports may cease to hold by it."""
    refusals = _inactive(account) + _not_of_unit(account, unit_id, "撤回批次")
    if account.role == Role.DEPARTMENT_OFFICER:
        refusals.append("撤回批次须由本单位责任人办理。")
    return refusals


def _inactive(account: Account) -> list[str]:
    return [] if account.is_active else [INACTIVE]


def _not_in_role(account: Account, role: Role, deed: str) -> list[str]:
    return [] if account.role == role else [f"只有{role.label}可以{deed}，{_own_role(account)}"]


def _own_role(account: Account) -> str:
    return f"本账户的角色是{Role(account.role).label}。"


def _own(account: Account, other: Account, deed: str) -> list[str]:
    return [f"不能对自己的账户{deed}，请由另一名管理员办理。"] if account.pk == other.pk else []


def _not_of_unit(account: Account, unit_id: int, deed: str) -> list[str]:
    if account.role not in OF_A_UNIT:
        return [f"只有数源单位的工作人员或责任人可以{deed}，{_own_role(account)}"]
    if account.unit_id != unit_id:
        return [f"本账户属于另一单位，只能为本单位{deed}。"]
    return []


def _not_of_subject(account: Account, subject_id: int, scope: str, deed: str) -> list[str]:
    """The mandate decides, not the subject the account happens to act for now."""
    if account.role != Role.SUBJECT_AGENT:
        return [f"只有该主体的经办人可以{deed}，{_own_role(account)}"]
    scopes = scopes_of(account, subject_id, timezone.localdate()) if account.is_active else frozenset()
    if scope in scopes or not account.is_active:
        return []
    if scopes:
        return [f"本账户的授权不包括这一项，不能{deed}；请由法定代表人另行授权。"]
    return [f"本账户没有代理该主体的有效授权，不能{deed}；请先完成法定代表人授权。"]
